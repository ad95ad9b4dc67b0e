import type { Readable } from 'node:stream';
import type { Digest } from '../domain/digest.ts';
import type { Caller } from './caller.ts';
import { headerOf } from './headers.ts';
import type { AnswerHeaders } from './ports.ts';
import { misbehaves } from './refusal.ts';

/** A blob that is sent. */
export interface SentBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Its bytes from the first on; called again when they have to be sent once more. */
  readonly open: () => Readable | Promise<Readable>;
}

/** Where an upload goes on. A registry behind a proxy may know itself by another scheme, port or name than it is reached by. */
export function sessionOf(caller: Caller, repository: string, headers: AnswerHeaders): string {
  const base = `${caller.origin}/v2/${repository}/blobs/uploads/`;
  const location = headerOf(headers, 'location');
  if (location === undefined || !URL.canParse(location, base))
    throw misbehaves(caller.registry, 'does not say where an upload goes on');
  const url = new URL(location, base);
  const origin = new URL(caller.origin);
  const isItself = caller.isTrusted || url.hostname === origin.hostname;
  return isItself ? `${caller.origin}${url.pathname}${url.search}` : url.href;
}

/** A session as it is closed: what else is in its query stays as it is written. */
export function closingOf(session: string, digest: Digest): string {
  return `${session}${session.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}
