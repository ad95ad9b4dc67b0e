import type { Digest } from '../domain/digest.ts';
import { oci } from './errors.ts';
import type { Exchange } from './exchange.ts';

/** Undefined: the header was not sent. `*`: whatever there is. */
type Wanted = '*' | readonly string[] | undefined;

function parseTags(header: string | undefined): Wanted {
  const tags = header?.split(',').map((each) => each.trim().replace(/^W\//, ''));
  return tags?.includes('*') === true ? '*' : tags;
}

function matches(wanted: Wanted, current: Digest | undefined): boolean {
  if (current === undefined || wanted === undefined) return false;
  return wanted === '*' || wanted.includes(`"${current}"`) || wanted.includes(current);
}

/** Whether the client says that it has the bytes of a digest already: `If-None-Match` names it, weakly or not, among others or not. */
export function isKnownToClient({ req }: Exchange, digest: Digest): boolean {
  return matches(parseTags(req.headers['if-none-match']), digest);
}

/**
 * Throws 412 where a push was to happen under a condition that does not hold: `If-Match` names the digest that the tag must stand for now,
 * `If-None-Match: *` says that there must be none (RFC 9110 §13.1). Inside a commit this makes a push to a tag a compare-and-swap.
 * @param what what is compared, for the message.
 */
export function refuseUnmet({ req }: Exchange, what: string, current: Digest | undefined): void {
  const needed = parseTags(req.headers['if-match']);
  const unwanted = parseTags(req.headers['if-none-match']);
  const isMet = (needed === undefined || matches(needed, current)) && !matches(unwanted, current);
  if (isMet) return;
  const now = current === undefined ? 'there is none now' : `now it is ${current}`;
  throw oci('DENIED', `${what} is not what this push was to replace: ${now}`, {
    status: 412,
    detail: { current: current ?? null },
    ...(current !== undefined && { headers: { etag: `"${current}"` } }),
  });
}
