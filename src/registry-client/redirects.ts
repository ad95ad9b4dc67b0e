import { fail } from '../domain/failure.ts';
import { headerOf } from './headers.ts';
import type { Answer, Sender, SentRequest } from './ports.ts';
import { discard } from './small-body.ts';

const maxRedirects = 5;
const statuses = new Set([301, 302, 303, 307, 308]);

function nextUrl(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href))
    throw fail('source-unavailable', `the registry ${from.host} redirects to what is no URL`);
  const next = new URL(location, from);
  if (from.protocol === 'https:' && next.protocol !== 'https:')
    throw fail('source-unavailable', `the registry ${from.host} redirects away from https, which is not followed`);
  return next;
}

/** What a request has that is for one host alone, `Authorization`, does not go to another one. */
export function headersFor(next: URL, from: URL, headers: SentRequest['headers']): SentRequest['headers'] {
  if (next.origin === from.origin) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(?:authorization|cookie)$/i.test(name)));
}

/**
 * Sends a request and follows redirects of a GET or HEAD, at most five and never from https to http.
 * @throws like {@link Sender.send}, and `source-unavailable` for a redirect that is not followed.
 */
export async function sendAndFollow(sender: Sender, request: SentRequest): Promise<Answer> {
  let { url, headers } = request;
  const follows = request.method === 'GET' || request.method === 'HEAD';
  for (let redirects = 0; ; redirects += 1) {
    const answer = await sender.send({ ...request, url, headers });
    const location = headerOf(answer.headers, 'location');
    if (!follows || !statuses.has(answer.status) || location === undefined) return answer;
    discard(answer);
    const from = new URL(url);
    if (redirects === maxRedirects) throw fail('source-unavailable', `the registry ${from.host} redirects too often`);
    const next = nextUrl(from, location);
    headers = headersFor(next, from, headers);
    url = next.href;
  }
}
