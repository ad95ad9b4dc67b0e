import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { fail } from '../domain/failure.ts';

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
export function seal(key: Buffer, value: unknown, purpose: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', keyFor(key, purpose), iv);
  const body = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  return `${version}.${Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64url')}`;
}

/** Opens what {@link seal} made. Throws `internal` when the key is another one or the text was changed. */
export function unseal(key: Buffer, sealed: string, purpose: string): unknown {
  const [found, text = ''] = sealed.split('.', 2);
  const bytes = Buffer.from(text, 'base64url');
  if (found !== version || bytes.length < ivBytes + tagBytes) throw fail('internal', 'a sealed secret is damaged');
  const decipher = createDecipheriv('aes-256-gcm', keyFor(key, purpose), bytes.subarray(0, ivBytes));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()]);
    return JSON.parse(plain.toString('utf8'));
  } catch (cause) {
    throw fail('internal', 'a sealed secret cannot be opened: the installation key is not the one that sealed it', {
      cause,
      hint: 'give every process of the installation the same SLIPWAY_KEY or the same key file',
    });
  }
}
