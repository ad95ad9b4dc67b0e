import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { keysOf, type InstallationKey } from './key-ring.ts';

/** Signs small claims for URLs and credentials that need no record of their own. */
export interface Signer {
  /** `claims` are readable by whoever holds the token: no secrets in them. */
  sign(claims: Readonly<Record<string, unknown>>, expiresAtMs: number): string;
  /** The claims of a token that we signed and that is not yet over; undefined for any other text. */
  verify(token: string, nowMs: number): Readonly<Record<string, unknown>> | undefined;
}

function parseClaims(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Makes the keys for one purpose out of an installation's keys; each is derived once. */
export function createDerive(purpose: string): (key: Buffer) => Buffer {
  const known = new WeakMap<Buffer, Buffer>();
  return (key) => {
    const found = known.get(key) ?? Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `sign:${purpose}`, 32));
    known.set(key, found);
    return found;
  };
}

function isMac(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/**
 * A signer of tokens `<claims>.<HMAC-SHA-256>`, both base64url, under a key derived for `purpose`: a token for one purpose is
 * worth nothing for another. The first key signs, what any of them signed is good. Signatures are compared in constant time.
 */
export function createSigner(key: InstallationKey, purpose: string): Signer {
  const derive = createDerive(purpose);
  const mac = (one: Buffer, body: string): Buffer => createHmac('sha256', derive(one)).update(body).digest();
  return {
    sign(claims, expiresAtMs) {
      const body = Buffer.from(JSON.stringify({ ...claims, exp: expiresAtMs })).toString('base64url');
      return `${body}.${mac(keysOf(key)[0], body).toString('base64url')}`;
    },
    verify(token, nowMs) {
      const dot = token.indexOf('.');
      if (dot < 0 || token.length > 4096) return undefined;
      const body = token.slice(0, dot);
      const given = Buffer.from(token.slice(dot + 1), 'base64url');
      if (!keysOf(key).some((one) => isMac(given, mac(one, body)))) return undefined;
      const claims = parseClaims(body);
      return typeof claims?.['exp'] === 'number' && claims['exp'] > nowMs ? claims : undefined;
    },
  };
}
