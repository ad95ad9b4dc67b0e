import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { fail } from '../domain/failure.ts';
import { keysOf, type InstallationKey } from './key-ring.ts';

const version = 'v1';
const ivBytes = 12;
const tagBytes = 16;

function keyFor(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `seal:${purpose}`, 32));
}

/**
 * Encrypts a JSON value (AES-256-GCM under a key derived for `purpose`; what was sealed for one purpose opens for no other).
 * The result is text: `v1.<base64url of nonce, ciphertext and tag>`.
 */
export function seal(key: InstallationKey, value: unknown, purpose: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', keyFor(keysOf(key)[0], purpose), iv);
  const body = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  return `${version}.${Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64url')}`;
}

function readSealed(sealed: string): Buffer {
  const [found, text = ''] = sealed.split('.', 2);
  const bytes = Buffer.from(text, 'base64url');
  if (found !== version || bytes.length < ivBytes + tagBytes) throw fail('internal', 'a sealed secret is damaged');
  return bytes;
}

function tryKey(
  key: Buffer,
  bytes: Buffer,
  purpose: string,
): { readonly value: unknown } | { readonly error: unknown } {
  const decipher = createDecipheriv('aes-256-gcm', keyFor(key, purpose), bytes.subarray(0, ivBytes));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()]);
    return { value: JSON.parse(plain.toString('utf8')) };
  } catch (error) {
    return { error };
  }
}

interface Opened {
  readonly value: unknown;
  /** The key that opened it is the one that seals now. */
  readonly isCurrent: boolean;
}

function openSealed(key: InstallationKey, sealed: string, purpose: string): Opened {
  const bytes = readSealed(sealed);
  let cause: unknown;
  for (const [at, one] of keysOf(key).entries()) {
    const tried = tryKey(one, bytes, purpose);
    if ('value' in tried) return { value: tried.value, isCurrent: at === 0 };
    cause = tried.error;
  }
  throw fail('internal', 'a sealed secret cannot be opened: the installation key is not the one that sealed it', {
    cause,
    hint: 'give every process of the installation the same SLIPWAY_KEY or the same key file',
  });
}

/** Opens what {@link seal} made with any of the keys. Throws `internal` when it was another key or the text was changed. */
export function unseal(key: InstallationKey, sealed: string, purpose: string): unknown {
  return openSealed(key, sealed, purpose).value;
}

/** Seals again with the key that seals now what an older one sealed; undefined: it was that key already. Throws like {@link unseal}. */
export function reseal(key: InstallationKey, sealed: string, purpose: string): string | undefined {
  const { value, isCurrent } = openSealed(key, sealed, purpose);
  return isCurrent ? undefined : seal(key, value, purpose);
}
