import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

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

/**
 * A signer of tokens `<claims>.<HMAC-SHA-256>`, both base64url, under a key derived for `purpose`: a token for one purpose is
 * worth nothing for another. Signatures are compared in constant time.
 */
export function createSigner(key: Buffer, purpose: string): Signer {
  const secret = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `sign:${purpose}`, 32));
  const mac = (body: string): Buffer => createHmac('sha256', secret).update(body).digest();
  return {
    sign(claims, expiresAtMs) {
      const body = Buffer.from(JSON.stringify({ ...claims, exp: expiresAtMs })).toString('base64url');
      return `${body}.${mac(body).toString('base64url')}`;
    },
    verify(token, nowMs) {
      const dot = token.indexOf('.');
      if (dot < 0 || token.length > 4096) return undefined;
      const body = token.slice(0, dot);
      const given = Buffer.from(token.slice(dot + 1), 'base64url');
      const expected = mac(body);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      const claims = parseClaims(body);
      return typeof claims?.['exp'] === 'number' && claims['exp'] > nowMs ? claims : undefined;
    },
  };
}
