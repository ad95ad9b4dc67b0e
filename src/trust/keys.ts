import { createHash, createPublicKey, verify, constants, type KeyObject, type VerifyKeyObjectInput } from 'node:crypto';
import type { Budget } from './limits.ts';
import { refuse } from './refusal.ts';

/** A public key that a policy trusts. */
export interface TrustedKey {
  /** `sha256:<hex>` of its SubjectPublicKeyInfo. */
  readonly id: string;
  /** For people: `ECDSA P-256`, `RSA 3072`, `Ed25519`. */
  readonly kind: string;
  readonly key: KeyObject;
}

type Scheme = Omit<VerifyKeyObjectInput, 'key'> & { readonly hash: string | null };

const curves: Readonly<Record<string, string>> = {
  prime256v1: 'ECDSA P-256',
  secp384r1: 'ECDSA P-384',
  secp521r1: 'ECDSA P-521',
};

/**
 * cosign hashes with SHA-256 whatever the curve; bundles hash as wide as the curve is. RSA signs with PKCS #1 v1.5, some
 * key stores with PSS. No signature says which: the verifier must know.
 */
const schemes: Readonly<Record<string, readonly Scheme[]>> = {
  'ECDSA P-256': [{ hash: 'sha256', dsaEncoding: 'der' }],
  'ECDSA P-384': [
    { hash: 'sha384', dsaEncoding: 'der' },
    { hash: 'sha256', dsaEncoding: 'der' },
  ],
  'ECDSA P-521': [
    { hash: 'sha512', dsaEncoding: 'der' },
    { hash: 'sha256', dsaEncoding: 'der' },
  ],
  RSA: [
    { hash: 'sha256', padding: constants.RSA_PKCS1_PADDING },
    { hash: 'sha512', padding: constants.RSA_PKCS1_PADDING },
    { hash: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
  ],
  Ed25519: [{ hash: null }],
};

/**
 * Reads a public key in PEM (`BEGIN PUBLIC KEY`, `BEGIN RSA PUBLIC KEY`).
 * @returns the key, or one sentence that says what is wrong with it.
 */
export function readPublicKey(pem: string): TrustedKey | string {
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(pem))
    return 'this is a private key; only its public part belongs here';
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return 'this is a certificate; it belongs into "certificates"';
  if (!/^\s*-----BEGIN (?:RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END (?:RSA )?PUBLIC KEY-----\s*$/.test(pem))
    return 'this is no public key in PEM (-----BEGIN PUBLIC KEY-----), or more than one';
  try {
    return describeKey(createPublicKey(pem));
  } catch {
    return 'this public key cannot be read';
  }
}

/** What a key is; a sentence when signatures by such a key are not accepted. */
export function describeKey(key: KeyObject): TrustedKey | string {
  const kind = kindOf(key);
  if (kind === undefined) return 'only ECDSA P-256, P-384 and P-521, RSA of 2048 to 8192 bits and Ed25519 are accepted';
  const id = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  return { id: `sha256:${id}`, kind, key };
}

function kindOf(key: KeyObject): string | undefined {
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519';
  if (key.asymmetricKeyType === 'ec') return curves[details.namedCurve ?? ''];
  const bits = details.modulusLength ?? 0;
  const isRsa = key.asymmetricKeyType === 'rsa' && bits >= 2048 && bits <= 8192;
  return isRsa ? `RSA ${String(bits)}` : undefined;
}

interface Signed {
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * The first of the keys that made the signature; undefined when none did. Checked on Node's threads, so that a heap of
 * signatures holds up nobody else.
 * @throws RefusedSignature when the budget of checks is spent.
 */
export async function findSigner(
  keys: readonly TrustedKey[],
  signed: Signed,
  budget: Budget,
): Promise<TrustedKey | undefined> {
  for (const key of keys) {
    spendChecks(budget, 1);
    if (await isSignedBy(key, signed)) return key;
  }
  return undefined;
}

/**
 * Takes the price of some checks out of the budget.
 * @throws RefusedSignature when it is not there.
 */
export function spendChecks(budget: Budget, count: number): void {
  budget.checks -= count;
  if (budget.checks < 0) throw refuse('too many signatures were pushed for this image; the rest is not looked at');
}

async function isSignedBy({ key, kind }: TrustedKey, signed: Signed): Promise<boolean> {
  const known = schemes[kind] ?? (kind.startsWith('RSA') ? schemes['RSA'] : undefined) ?? [];
  for (const { hash, ...options } of known) {
    if (await isVerified(hash, { key, ...options }, signed)) return true;
  }
  return false;
}

function isVerified(hash: string | null, key: VerifyKeyObjectInput, { data, signature }: Signed): Promise<boolean> {
  return new Promise((resolve) => {
    // OpenSSL reports some malformed signatures as errors, and says no to others.
    verify(hash, data, key, signature, (error, isGood) => resolve(error === null && isGood));
  });
}
