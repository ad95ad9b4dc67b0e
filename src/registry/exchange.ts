import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from './access/principal.ts';

/** One request and its answer. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  /** The path as it was sent, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The scheme and host that the client used, for URLs that must be absolute. */
  readonly origin: string;
  /** The client waits for leave to send the body. */
  readonly awaitsContinue: boolean;
  /** Where the client calls from, as far as the proxies before us can be believed. */
  readonly address?: string;
  /** Undefined: anonymous. */
  principal?: Principal;
}

const hostPattern = /^[A-Za-z0-9.:[\]_-]{1,255}$/;

/** Splits a request into its parts. */
export function openExchange(
  req: IncomingMessage,
  res: ServerResponse,
  { awaitsContinue = false, address }: { awaitsContinue?: boolean | undefined; address?: string | undefined } = {},
): Exchange {
  const url = req.url ?? '/';
  const mark = url.indexOf('?');
  return {
    ...{ req, res, awaitsContinue, method: req.method ?? 'GET' },
    ...(address !== undefined && { address }),
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    origin: originOf(req),
  };
}

function originOf({ socket, headers: { host = '' } }: IncomingMessage): string {
  return `${'encrypted' in socket ? 'https' : 'http'}://${hostPattern.test(host) ? host : 'localhost'}`;
}

/** The request's body; asks the client for it when it waits. Leaving it early does not close the connection. */
export function readBody(exchange: Exchange): AsyncIterable<Buffer> {
  if (exchange.awaitsContinue) exchange.res.writeContinue();
  return exchange.req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

/** The length that the client announced; undefined for a chunked body and for none. */
export function announcedLength(req: IncomingMessage): number | undefined {
  const text = req.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

/** True when the request has a body, or may have one. */
export function hasBody(req: IncomingMessage): boolean {
  return (announcedLength(req) ?? 0) > 0 || req.headers['transfer-encoding'] !== undefined;
}

/** Answers without a body. */
export function sendEmpty(exchange: Exchange, status: number, headers: Record<string, string> = {}): void {
  const length = status === 204 || status === 304 ? {} : { 'content-length': '0' };
  exchange.res.writeHead(status, { ...headers, ...length });
  exchange.res.end();
}

/** Answers with bytes; a HEAD request gets the same headers and none of the bytes. */
export function sendBytes(exchange: Exchange, bytes: Buffer, headers: Record<string, string>): void {
  exchange.res.writeHead(200, { ...headers, 'content-length': String(bytes.length) });
  exchange.res.end(exchange.method === 'HEAD' ? undefined : bytes);
}

/** Answers with a JSON document. */
export function sendJson(
  exchange: Exchange,
  document: object,
  more: { status?: number; headers?: Record<string, string> } = {},
): void {
  const bytes = Buffer.from(JSON.stringify(document));
  const { status = 200, headers = {} } = more;
  const type = { 'content-type': 'application/json; charset=utf-8' };
  exchange.res.writeHead(status, { ...type, ...headers, 'content-length': String(bytes.length) });
  exchange.res.end(exchange.method === 'HEAD' ? undefined : bytes);
}
