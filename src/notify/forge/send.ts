import { text as readText } from 'node:stream/consumers';
import { fail } from '../../domain/failure.ts';
import type { Egress, EgressResponse } from '../../egress/ports.ts';
import type { ForgeRequest } from './api.ts';

/** What a forge answered: any status. */
export interface ForgeAnswer {
  readonly status: number;
  /** In lower case, the first value of each. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Sends one request and reads the answer whole. Rejects as {@link Egress.fetch} does. */
export type SendToForge = (request: ForgeRequest, signal?: AbortSignal) => Promise<ForgeAnswer>;

const defaultTimeoutMs = 10_000;
const maxBytes = 1024 ** 2;
/** Forges move repositories that were renamed, and say so by these (GitHub's docs: "Follow redirects"). */
const redirects = [301, 302, 307, 308];

/**
 * Makes the sender that goes through the guarded client, with a time limit for each request. One redirect is followed, within the same
 * origin and with the same method, because the credential may go nowhere else.
 */
export function createForgeSender(egress: Pick<Egress, 'fetch'>, timeoutMs = defaultTimeoutMs): SendToForge {
  const once = async (request: ForgeRequest, signal?: AbortSignal): Promise<ForgeAnswer> => {
    const { method, url, headers, body } = request;
    const response = await egress.fetch(url, {
      ...(method !== 'GET' && { method, body: body ?? '' }),
      redirects: 'none',
      headers,
      timeoutMs,
      maxBytes,
      field: 'repositoryUrl',
      ...(signal !== undefined && { signal }),
    });
    return readAnswer(response);
  };
  return async (request, signal) => {
    const answer = await once(request, signal);
    const { location } = answer.headers;
    if (!redirects.includes(answer.status) || location === undefined) return answer;
    const next = URL.canParse(location, request.url) ? new URL(location, request.url) : undefined;
    if (next?.origin !== new URL(request.url).origin) {
      throw fail(
        'source-unavailable',
        `${new URL(request.url).host} redirects to another host, which gets no credential`,
      );
    }
    return once({ ...request, url: next.href }, signal);
  };
}

async function readAnswer({ status, headers, body }: EgressResponse): Promise<ForgeAnswer> {
  const text = await readText(body);
  const first = Object.entries(headers).map(
    ([name, value]) => [name, Array.isArray(value) ? value[0] : value] as const,
  );
  const kept = first.filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { status, headers: Object.fromEntries(kept), text };
}
