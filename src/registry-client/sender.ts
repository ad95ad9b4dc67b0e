import { Agent as PlainAgent, request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as secureRequest, type RequestOptions } from 'node:https';
import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { fail, FailureError } from '../domain/failure.ts';
import type { Egress, ResolvedAddress } from '../egress/ports.ts';
import type { Answer, Sender, SentRequest } from './ports.ts';

export interface SenderOptions {
  /** What may reach hosts; left out for a registry of our own, which may be anywhere. */
  readonly egress?: Pick<Egress, 'resolve'> | undefined;
  /** The field that a failure names when a host may not be reached: where the registry's name came from. */
  readonly field?: string;
  /** A connection on which nothing moves for so long is given up, milliseconds; 30 s when left out. */
  readonly idleMs?: number;
  /** Certificates to trust besides the system's own, PEM; they replace those that Node.js comes with. */
  readonly ca?: string | readonly string[] | undefined;
}

const usualIdleMs = 30_000;

function pinTo(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses;
    if (all === true)
      callback(
        null,
        addresses.map((one) => ({ ...one })),
      );
    else if (first === undefined) callback(new Error('no address'), '', 0);
    else callback(null, first.address, first.family);
  };
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function lengthOf({ method, body }: SentRequest): Readonly<Record<string, string>> {
  if (body !== undefined) return { 'content-length': String(body instanceof Uint8Array ? body.length : body.size) };
  return method === 'GET' || method === 'HEAD' ? {} : { 'content-length': '0' };
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'broken pipe',
};

/** The system's code of an error: messages of TLS and sockets can hold addresses and certificates. */
function wordsOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  if (!(first instanceof Error)) return 'unknown error';
  const code = 'code' in first && typeof first.code === 'string' ? first.code : first.message;
  return words[code] ?? code;
}

/** The time limit and the caller's signal of one request, and what an error stands for under them. */
function boundsOf({ signal: caller, timeoutMs }: SentRequest, host: string) {
  const timer = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const signals = [caller, timer].filter((one) => one !== undefined);
  const late = (ms: number): FailureError =>
    fail('timed-out', `the registry ${host} did not answer in full within ${String(ms)} ms`);
  const explain = (error: unknown): unknown => {
    if (caller?.aborted === true) return caller.reason as unknown;
    if (timer?.aborted === true) return late(timeoutMs ?? 0);
    if (error instanceof OwnFault) return error.cause;
    if (error instanceof FailureError) return error;
    return fail('source-unavailable', `the registry ${host} cannot be reached: ${wordsOf(error)}`, { cause: error });
  };
  return { signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0], late, explain };
}

/** A fault of what is sent, which is not the registry's. */
class OwnFault extends Error {}

/** Sends the body, and hears an answer that comes before all of it has gone: the rest is not sent then. */
function exchange(request: ClientRequest, body: Readable | Uint8Array | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    // It stays for the request's life: after the answer, an abort is reported here as well as on the body.
    request.on('error', reject);
    request.once('close', () => reject(Object.assign(new Error('no answer'), { code: 'ECONNRESET' })));
    if (body === undefined || body instanceof Uint8Array) request.end(body);
    else sendStream(request, body, reject);
  });
}

function sendStream(request: ClientRequest, body: Readable, reject: (error: Error) => void): void {
  const stop = (error?: Error): void => {
    if (body.readableEnded) return;
    reject(new OwnFault('what is sent has broken off', { cause: error ?? new Error('it was closed') }));
    request.destroy();
  };
  body.once('error', stop).once('close', stop);
  const leave = (): void => {
    body
      .off('close', stop)
      .off('error', stop)
      .on('error', () => undefined);
    body.unpipe(request);
    body.destroy();
  };
  request.once('response', leave).once('close', leave);
  body.pipe(request);
}

/** True for an answer that has no body: to a HEAD, and where none is announced. */
function isEmpty({ method }: SentRequest, { headers }: IncomingMessage): boolean {
  return method === 'HEAD' || headers['content-length'] === '0';
}

/** The body of an answer without one; the connection is free for the next request. */
function endAtOnce(response: IncomingMessage): Readable {
  response.on('error', () => undefined).resume();
  return Readable.from([]);
}

/** The answer's body; its errors are explained like those of the request. */
function guard(request: ClientRequest, response: IncomingMessage, why: (error: unknown) => unknown): Readable {
  // Without a listener an abort that comes before the first read would be an uncaught error.
  response.on('error', () => undefined);
  const read = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* response as AsyncIterable<Buffer>;
    } catch (error) {
      throw why(error);
    }
  };
  const body = Readable.from(read(), { objectMode: false });
  body.once('close', () => {
    response.destroy();
    if (!request.writableFinished) request.destroy();
  });
  return body;
}

/** Makes a sender on `node:http` that keeps connections for a while; a process that ends does not wait for them. */
export function createSender(options: SenderOptions = {}): Sender {
  const { egress, field = 'sourceLocation', idleMs = usualIdleMs, ca } = options;
  const agents = {
    plain: new PlainAgent({ keepAlive: true }),
    secure: new SecureAgent({
      keepAlive: true,
      ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
    }),
  };
  const open = (url: URL, more: RequestOptions): ClientRequest =>
    url.protocol === 'https:'
      ? secureRequest(url, { ...more, agent: agents.secure })
      : plainRequest(url, { ...more, agent: agents.plain });
  const send = async (sent: SentRequest, url: URL, bounds: ReturnType<typeof boundsOf>): Promise<Answer> => {
    const { signal, late, explain } = bounds;
    signal?.throwIfAborted();
    const addresses = await egress?.resolve(url.hostname, portOf(url), field);
    signal?.throwIfAborted();
    const opened = sent.body === undefined || sent.body instanceof Uint8Array ? sent.body : await sent.body.open();
    const headers = { 'user-agent': 'slipway', 'accept-encoding': 'identity', ...sent.headers, ...lengthOf(sent) };
    const lookup = addresses && { lookup: pinTo(addresses) };
    const request = open(url, { method: sent.method, headers, ...(signal && { signal }), ...lookup });
    let idle: FailureError | undefined;
    request.setTimeout(idleMs, () => {
      idle = late(idleMs);
      request.destroy(idle);
    });
    const response = await exchange(request, opened);
    const body = isEmpty(sent, response)
      ? endAtOnce(response)
      : guard(request, response, (error) => idle ?? explain(error));
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  };
  return {
    async send(sent) {
      const url = parseUrl(sent.url, field);
      const bounds = boundsOf(sent, url.host);
      try {
        return await send(sent, url, bounds);
      } catch (error) {
        throw bounds.explain(error);
      }
    },
    close() {
      agents.plain.destroy();
      agents.secure.destroy();
    },
  };
}

function parseUrl(text: string, field: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw fail('invalid-request', 'only http and https URLs can be fetched', { field });
  // A user name in a URL would be sent as Authorization: who logs in says it in headers.
  url.username = '';
  url.password = '';
  return url;
}
