import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { EgressRequest, ResolvedAddress } from './ports.ts';

interface Hop {
  readonly headers: Readonly<Record<string, string>>;
  /** Of a request with a body; undefined: POST. `HEAD`: of one without. */
  readonly method?: EgressRequest['method'] | undefined;
  /** Sent by `method`; undefined: a GET. */
  readonly body?: string | undefined;
  /** Checked addresses: the connection goes to one of them, and no name is resolved again. */
  readonly addresses: readonly ResolvedAddress[];
  readonly signal: AbortSignal;
}

/** Sends one request over a connection of its own and gives the answer as soon as its headers are there. */
export function sendRequest(url: URL, { headers, method, body, addresses, signal }: Hop): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? https.request : http.request;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: methodOf({ method, body }),
      headers: { 'user-agent': 'slipway', 'accept-encoding': 'identity', ...headers, ...lengthOf(body) },
      agent: false,
      lookup: pinTo(addresses),
      signal,
    });
    request.once('response', resolve);
    // It stays for the request's life: after the answer, an abort is reported here as well as on the body.
    request.on('error', reject);
    request.end(body);
  });
}

function methodOf({ method, body }: Pick<Hop, 'method' | 'body'>): string {
  if (body === undefined) return method === 'HEAD' ? 'HEAD' : 'GET';
  return method ?? 'POST';
}

function lengthOf(body: string | undefined): Record<string, number> {
  return body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
}

function pinTo(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const first = addresses[0];
    if (options.all === true)
      callback(
        null,
        addresses.map((one) => ({ ...one })),
      );
    else if (first === undefined) callback(new Error('no address'), '', 0);
    else callback(null, first.address, first.family);
  };
}
