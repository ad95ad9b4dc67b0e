import type { IncomingMessage, ServerResponse } from 'node:http';
import { findClient, isLoopbackAddress, parseNetworks } from './rules.ts';

/** Who may connect, as the operator wrote it; checked before (`findBadNetworks`). */
export interface NetworkSettings {
  /** Addresses and networks that requests may come from; empty: all. */
  readonly allow: readonly string[];
  /** Proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
}

/** What stands before everything that answers requests. */
export interface Gate {
  /** Whether requests may come from an address. */
  allows(address: string): boolean;
  /** The address of whoever made a request; undefined when it cannot be known. */
  clientOf(request: IncomingMessage): string | undefined;
  /** Answers a request that may not come in with 403, before its body is read, and says so; false: nothing was done, let it in. */
  refuses(request: IncomingMessage, response: ServerResponse): boolean;
}

const probes = new Set(['/healthz', '/readyz']);
const registryPath = /^\/(?:v2|acr\/v1|oauth2)(?:\/|$)/;

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

/** Several headers of the name count as one list (RFC 9110, section 5.3). */
function forwardedOf({ headers }: IncomingMessage): string | undefined {
  const header = headers['x-forwarded-for'];
  return Array.isArray(header) ? header.join(',') : header;
}

/** The error document of the place: the registry's (distribution-spec, "Error Codes"), or that of the API. */
function documentFor(path: string, message: string): object {
  if (registryPath.test(path)) return { errors: [{ code: 'DENIED', message }] };
  return { error: { code: 'AuthorizationFailed', message } };
}

function refuse(path: string, client: string | undefined, response: ServerResponse): void {
  const who = client === undefined ? 'a client whose address is unknown' : `a client with the address ${client}`;
  const message = `${who} is not allowed to connect`;
  const body = JSON.stringify(documentFor(path, message));
  response.writeHead(403, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    // What the client may still be sending is not waited for.
    connection: 'close',
    ...(registryPath.test(path) && { 'docker-distribution-api-version': 'registry/2.0' }),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/**
 * Makes the gate of a listener. Probes of health that come from this machine pass whatever the rules say; everything else is measured
 * by them, on every request anew, because a proxy sends the requests of many clients over one connection.
 */
export function createGate(settings: NetworkSettings): Gate {
  const [allowed, trusted] = [parseNetworks(settings.allow), parseNetworks(settings.trustedProxies)];
  const clientOf: Gate['clientOf'] = (request) =>
    findClient(request.socket.remoteAddress, forwardedOf(request), trusted);
  const allows: Gate['allows'] = (address) => settings.allow.length === 0 || allowed.has(address);
  const refuses: Gate['refuses'] = (request, response) => {
    if (settings.allow.length === 0) return false;
    const client = clientOf(request);
    if (client !== undefined && allows(client)) return false;
    const path = pathOf(request);
    if (client !== undefined && probes.has(path) && isLoopbackAddress(client)) return false;
    refuse(path, client, response);
    return true;
  };
  return { allows, clientOf, refuses };
}
