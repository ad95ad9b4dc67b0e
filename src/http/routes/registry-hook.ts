import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkHandshake, createTakeNotice, type GivenNotice } from '../../patch/notice/take-notice.ts';
import { ProtocolError } from '../errors.ts';
import { logRequests } from '../middleware/log-requests.ts';
import { createRawReader } from '../middleware/raw-body.ts';
import { assignRequestId } from '../middleware/request-id.ts';
import { setSecurityHeaders } from '../middleware/security-headers.ts';
import { writeDocument, writeError } from '../middleware/write-error.ts';
import type { AppOptions } from '../options.ts';
import type { HooksHandler } from './hooks.ts';

type Options = Pick<AppOptions, 'clock' | 'config' | 'log' | 'newId'>;

const pathPattern = /^\/hooks\/registry(?:\/([^/?]*))?\/?(?:\?(.*))?$/s;
const maxBytes = 1024 * 1024;

function refuseMethod(method: string | undefined): Error {
  const answer = { status: 405, code: 'MethodNotAllowed', headers: { Allow: 'POST' } };
  return new ProtocolError(answer, `${String(method)} is not allowed here; POST is`);
}

/** Agrees to be sent CloudEvents, as their "HTTP 1.1 Web Hooks" ask before the first one. */
function agree(request: IncomingMessage, response: ServerResponse): void {
  const origin = request.headers['webhook-request-origin'];
  response.writeHead(200, {
    Allow: 'POST',
    ...(typeof origin === 'string' && { 'WebHook-Allowed-Origin': origin, 'WebHook-Allowed-Rate': '*' }),
  });
  response.end();
}

/** What nobody reads of a refused request passes by, so that the client gets to read the answer; not for ever. */
function letPass(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), 30_000).unref();
  const stop = (): void => {
    clearTimeout(timer);
  };
  request.once('end', stop).once('close', stop).resume();
}

/**
 * `POST /hooks/registry` and `/hooks/registry/{kind}`: what registries tell of pushes. No account: a secret of its own is what counts.
 * Answers 202 with what was taken and what was not, as soon as it is queued.
 */
export function createRegistryHook(options: Options, hook: NonNullable<AppOptions['registryHook']>): HooksHandler {
  const { clock, config, log, newId } = options;
  const { secrets } = hook;
  const takeNotice = createTakeNotice({ ...hook, registryHost: config.registryHost, clock });
  const readBody = createRawReader(maxBytes);
  const before = [assignRequestId(newId), logRequests(log, clock), setSecurityHeaders];
  const take = async (request: IncomingMessage, response: ServerResponse, given: GivenNotice): Promise<void> => {
    if (request.method === 'OPTIONS') {
      checkHandshake(given, secrets);
      agree(request, response);
      return;
    }
    if (request.method !== 'POST') throw refuseMethod(request.method);
    writeDocument(response, 202, await takeNotice(given));
  };
  return (request, response) => {
    const match = pathPattern.exec(request.url ?? '');
    if (match === null) return false;
    const [, kind = '', query = ''] = match;
    for (const one of before) one(request, response, () => undefined);
    const given = {
      kind: kind === '' ? undefined : kind,
      headers: request.headers,
      query: new URLSearchParams(query),
      readBody: () => readBody(request),
    };
    take(request, response, given).catch((error: unknown) => {
      if (!request.readableEnded) letPass(request);
      writeError(log, error, response);
    });
    return true;
  };
}
