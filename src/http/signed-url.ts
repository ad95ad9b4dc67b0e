import { fail } from '../domain/failure.ts';
import type { Signer } from '../secret/sign.ts';

/** What a signed URL allows: an upload to one path, the reading of one log. */
export type Right = 'upload' | 'log';

/** The value of a signed URL's `sig`: good for one right on one path until `expiresAtMs` (milliseconds since the epoch). */
export function signPath(signer: Signer, right: Right, path: string, expiresAtMs: number): string {
  return signer.sign({ right, path }, expiresAtMs);
}

/**
 * Checks the `sig` of a request for `path`. Throws `forbidden` for one that we did not make for it, `expired` for one whose time is
 * over. Resolves to the time left, milliseconds.
 */
export function checkSignature(
  signer: Signer,
  right: Right,
  path: string,
  given: { sig: unknown; now: number },
): number {
  // At the beginning of time nothing has expired: what is left is whether the signature is ours.
  const claims = typeof given.sig === 'string' ? signer.verify(given.sig, 0) : undefined;
  if (claims?.['right'] !== right || claims['path'] !== path) {
    throw fail('forbidden', 'the signature of this URL is missing or wrong', {
      field: 'sig',
      hint: 'use the URL exactly as it was given',
    });
  }
  const left = Number(claims['exp']) - given.now;
  if (left > 0) return left;
  throw fail('expired', 'this URL has expired', { hint: 'ask for a new one' });
}
