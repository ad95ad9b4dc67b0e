import dns from 'node:dns/promises';
import { text as readText } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import { fail } from '../domain/failure.ts';
import { parseAddress, whyRefused } from './address.ts';
import { normalizeHost, parseAllowList, type AllowList } from './allow-list.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import { guardBody } from './body.ts';
import { sendRequest } from './hop.ts';
import type { Egress, EgressOptions, EgressRequest, EgressResponse, Lookup, ResolvedAddress } from './ports.ts';

const maxRedirects = 5;
const defaultTimeoutMs = 60_000;
const defaultMaxBytes = 1024 ** 3;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

const systemLookup: Lookup = async (host) => {
  const found = await dns.lookup(host, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

/**
 * Makes the guarded client for outgoing requests (field-notes.md §3, row 9).
 * @throws `invalid-request` when an entry of `allow` cannot be read.
 */
export function createEgress(options: EgressOptions): Egress {
  const allow = parseAllowList(options.allow);
  const lookup = options.lookup ?? systemLookup;
  const resolve: Egress['resolve'] = (host, port, field = 'sourceLocation') =>
    resolveChecked({ host, port, field }, lookup, allow);
  const fetch: Egress['fetch'] = async (text, request = {}) => {
    const deadline = createDeadline(request.timeoutMs ?? options.timeoutMs ?? defaultTimeoutMs, request.signal);
    const maxBytes = request.maxBytes ?? options.maxBytes ?? defaultMaxBytes;
    try {
      return await follow(text, { ...request, maxBytes }, { resolve, deadline });
    } catch (error) {
      throw deadline.explain(error, hostOf(text));
    }
  };
  return { resolve, fetch, fetchText: (text, request) => fetchText(fetch, text, request) };
}

/** Bounds of a text that is read whole. */
const smallText = { timeoutMs: 10_000, maxBytes: 256 * 1024 };

async function fetchText(fetch: Egress['fetch'], text: string, request: EgressRequest = {}): Promise<string> {
  const { status, body } = await fetch(text, { ...smallText, ...request });
  if (status >= 200 && status < 300) return readText(body);
  body.destroy();
  const { field = 'sourceLocation' } = request;
  throw fail('source-unavailable', `${hostOf(text)} answers ${status} for what ${field} names`, { field });
}

interface Target {
  readonly host: string;
  readonly port: number | undefined;
  readonly field: string;
}

async function resolveChecked(target: Target, lookup: Lookup, allow: AllowList): Promise<readonly ResolvedAddress[]> {
  const found = await findAddresses(target, lookup);
  const usable = found.filter(
    ({ address }) => whyRefused(address) === undefined || allow.permits({ ...target, address }),
  );
  if (usable.length > 0) return usable;
  const first = found[0]?.address ?? '';
  const why = whyRefused(first) ?? 'no address';
  const subject = normalizeHost(target.host) === first ? first : `${target.host} (${first})`;
  throw fail('invalid-request', `${subject} is ${why}; an operator can allow it with SLIPWAY_EGRESS_ALLOW`, {
    field: target.field,
  });
}

async function findAddresses({ host }: Target, lookup: Lookup): Promise<readonly ResolvedAddress[]> {
  const bare = normalizeHost(host);
  const literal = parseAddress(bare);
  if (literal !== undefined) return [{ address: bare, family: bare.includes(':') ? 6 : 4 }];
  try {
    const found = await lookup(bare);
    if (found.length > 0) return found;
  } catch (cause) {
    throw fail('source-unavailable', `the host ${bare} could not be found`, { cause });
  }
  throw fail('source-unavailable', `the host ${bare} has no address`);
}

interface Way {
  readonly resolve: Egress['resolve'];
  readonly deadline: Deadline;
}

async function follow(text: string, request: EgressRequest & { maxBytes: number }, way: Way): Promise<EgressResponse> {
  const field = request.field ?? 'sourceLocation';
  let url = parseUrl(text, field);
  let headers: Readonly<Record<string, string>> = request.headers ?? {};
  const { body, method } = request;
  const follows = body === undefined && request.redirects !== 'none';
  for (let redirects = 0; ; redirects += 1) {
    const addresses = await way.deadline.race(way.resolve(url.hostname, portOf(url), field));
    const response = await sendRequest(url, { headers, method, body, addresses, signal: way.deadline.signal });
    const location = response.headers.location;
    if (!follows || !isRedirect(response) || location === undefined) {
      return answer(response, { url, maxBytes: request.maxBytes, deadline: way.deadline });
    }
    response.destroy();
    if (redirects === maxRedirects) throw fail('source-unavailable', `${url.host} redirects too often`);
    const next = nextUrl(url, location, field);
    headers = headersFor(next, url, headers);
    url = next;
  }
}

/** The port that a URL leads to. */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function isRedirect({ statusCode }: IncomingMessage): boolean {
  return redirectStatuses.has(statusCode ?? 0);
}

function answer(
  response: IncomingMessage,
  { url, maxBytes, deadline }: { url: URL; maxBytes: number; deadline: Deadline },
): EgressResponse {
  const announced = Number(response.headers['content-length'] ?? 0);
  if (announced > maxBytes) {
    response.destroy();
    throw fail(
      'too-large',
      `what ${url.host} sends is ${String(announced)} bytes, more than the ${String(maxBytes)} allowed`,
    );
  }
  const body = guardBody(response, { host: url.host, maxBytes, deadline });
  return { status: response.statusCode ?? 0, headers: response.headers, body, url: url.href };
}

function parseUrl(text: string, field: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw fail('invalid-request', 'only http and https URLs can be fetched', { field });
  }
  // A user name in a URL would be sent as Authorization by node:http, also after a redirect: callers say it in headers.
  url.username = '';
  url.password = '';
  return url;
}

function nextUrl(from: URL, location: string, field: string): URL {
  if (!URL.canParse(location, from.href)) throw fail('source-unavailable', `${from.host} redirects to what is no URL`);
  const next = parseUrl(new URL(location, from).href, field);
  if (from.protocol === 'https:' && next.protocol === 'http:') {
    throw fail('source-unavailable', `${from.host} redirects from https to http, which is not followed`);
  }
  return next;
}

function headersFor(next: URL, from: URL, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (next.origin === from.origin) return headers;
  const kept = Object.entries(headers).filter(
    ([name]) => !/^(?:authorization|cookie|proxy-authorization)$/i.test(name),
  );
  return Object.fromEntries(kept);
}

function hostOf(text: string): string {
  return URL.canParse(text) ? new URL(text).host : 'the host';
}
