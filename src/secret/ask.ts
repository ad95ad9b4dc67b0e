import { json as readJson } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailureError } from '../domain/failure.ts';
import type { VaultFetch, VaultRequest } from './ports.ts';

/** What a vault answered: a document, or undefined where the body is none. */
export interface VaultAnswer {
  readonly status: number;
  readonly document: unknown;
}

/** Asks a vault, again when it is busy or its answer does not come. */
export type AskVault = (
  url: string,
  request: Omit<VaultRequest, 'field' | 'maxBytes' | 'redirects'>,
) => Promise<VaultAnswer>;

/** The largest answer; a secret of a key vault has at most 25 KiB. */
const maxBytes = 1024 * 1024;
/** Milliseconds before each further try. */
const usualBackoffMs = [250, 1000, 3000];
/** The longest wait that a `Retry-After` is obeyed for. */
const longestWaitMs = 10_000;

/** Too many requests, and what a gateway or a vault that is starting says; anything else would be said again. */
const passing = new Set([408, 429, 500, 502, 503, 504]);

function isPassing(error: unknown): boolean {
  return error instanceof FailureError && error.failure.reason === 'source-unavailable';
}

function waitOf(header: string | string[] | undefined, usualMs: number): number {
  const seconds = typeof header === 'string' && /^\d{1,4}$/.test(header) ? Number(header) : 0;
  return Math.max(usualMs, Math.min(seconds * 1000, longestWaitMs));
}

/** A document that is no JSON is of no use here, and none of its text may get into a message. */
async function readDocument(body: Parameters<typeof readJson>[0]): Promise<unknown> {
  try {
    return await readJson(body);
  } catch (error) {
    if (error instanceof FailureError) throw error;
    return undefined;
  }
}

/** Makes the client that providers ask with. `backoffMs` are the waits before each further try. */
export function createAsk(fetch: VaultFetch, backoffMs: readonly number[] = usualBackoffMs): AskVault {
  return async (url, request) => {
    for (let tries = 0; ; tries += 1) {
      const usualMs = backoffMs[tries];
      let waitMs = usualMs ?? 0;
      try {
        const { status, headers, body } = await fetch(url, {
          ...request,
          maxBytes,
          field: 'secrets',
          redirects: 'none',
        });
        const document = await readDocument(body);
        if (usualMs === undefined || !passing.has(status)) return { status, document };
        waitMs = waitOf(headers['retry-after'], usualMs);
      } catch (error) {
        if (usualMs === undefined || !isPassing(error)) throw error;
      }
      await sleep(waitMs, undefined, { signal: request.signal });
    }
  };
}

/** A member of a document, when the document is an object that has it. */
export function memberOf(document: unknown, name: string): unknown {
  const isObject = typeof document === 'object' && document !== null && Object.hasOwn(document, name);
  return isObject ? (document as Readonly<Record<string, unknown>>)[name] : undefined;
}
