import { fail } from './failure.ts';

/** A content digest as OCI writes it: `sha256:<64 hex>` or `sha512:<128 hex>`, lower case. */
export type Digest = string & { readonly __brand: 'Digest' };

export type DigestAlgorithm = 'sha256' | 'sha512';

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** Parses a digest; throws `invalid-request` naming `field` when it is none (OCI image-spec, descriptor.md#digests). */
export function parseDigest(text: string, field = 'digest'): Digest {
  if (isDigest(text)) return text;
  throw fail('invalid-request', `"${text.slice(0, 160)}" is no sha256 or sha512 digest`, { field });
}

/** The two parts of a digest: its algorithm and its hexadecimal text. */
export function splitDigest(digest: Digest): { algorithm: DigestAlgorithm; hex: string } {
  const colon = digest.indexOf(':');
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) };
}
