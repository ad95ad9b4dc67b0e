import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { DeliveryHeaders, Verdict } from './event.ts';

/** The header's value; the first where a client sent several. */
export function headerOf(headers: DeliveryHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** A header that names a delivery, as an id of at most 200 characters. */
export function idOf(headers: DeliveryHeaders, ...names: readonly string[]): string | undefined {
  const text = names.map((name) => headerOf(headers, name)).find((value) => value !== undefined && value !== '');
  return text === undefined ? undefined : text.length > 200 ? digest(text).toString('hex') : text;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** `ok` when one secret is right. Every one is tried, also after one was right, so that the time tells nothing of which it was. */
export function verifyEach(secrets: readonly string[], isRight: (secret: string) => boolean): Verdict {
  let found = false;
  for (const secret of secrets) {
    const isThis = secret !== '' && isRight(secret);
    found = found || isThis;
  }
  return found ? 'ok' : 'wrong';
}

/** Compares a token that was sent as it is. Both sides are hashed first, so neither content nor length shows in the time. */
export function verifyToken(given: string | undefined, secrets: readonly string[]): Verdict {
  if (given === undefined || given === '') return 'missing';
  const hashed = digest(given);
  return verifyEach(secrets, (secret) => timingSafeEqual(hashed, digest(secret)));
}

/** HMAC-SHA-256 of all parts in turn. */
export function hmacSha256(key: string | Buffer, parts: readonly (string | Buffer)[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/**
 * Checks an HMAC-SHA-256 in hexadecimal, after `prefix` (`sha256=`, or nothing) over all of `parts`. Another algorithm than SHA-256 is
 * wrong, whatever it says.
 */
export function verifyHex(
  given: string | undefined,
  prefix: string,
  parts: readonly (string | Buffer)[],
  secrets: readonly string[],
): Verdict {
  if (given === undefined || given === '') return 'missing';
  const hex = given.startsWith(prefix) ? given.slice(prefix.length) : '';
  if (!/^[0-9a-f]{64}$/i.test(hex)) return 'wrong';
  const mac = Buffer.from(hex, 'hex');
  return verifyEach(secrets, (secret) => timingSafeEqual(mac, hmacSha256(secret, parts)));
}
