import { createHmac, randomBytes } from 'node:crypto';
import { fail } from '../../domain/failure.ts';

const prefix = 'whsec_';
const minBytes = 24;
const maxBytes = 64;

/** A new signing secret: `whsec_` and 32 random bytes in base64. */
export function createSigningSecret(): string {
  return `${prefix}${randomBytes(32).toString('base64')}`;
}

/** The key that a signing secret stands for; undefined when it is none (24 to 64 bytes in base64 after `whsec_`). */
function keyOf(secret: string): Buffer | undefined {
  const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : '';
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const key = Buffer.from(text, 'base64');
  return key.length >= minBytes && key.length <= maxBytes ? key : undefined;
}

/** Throws `invalid-request` that names the field for what cannot be a signing secret. */
export function checkSigningSecret(secret: string, field = 'secret'): string {
  if (keyOf(secret)) return secret;
  throw fail('invalid-request', `${field} must be "whsec_" and 24 to 64 bytes in base64`, {
    field,
    hint: 'leave it out, and one is made',
  });
}

export interface Signed {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * The headers of the Standard Webhooks scheme, version 1 (its specification, "Signature scheme"): HMAC-SHA-256 over `id.timestamp.body`, one
 * signature for each secret, so that a receiver may know either while a secret is being replaced.
 */
export function signatureHeaders({ id, timestamp, body }: Signed, secrets: readonly string[]): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const mac = createHmac('sha256', keyOf(checkSigningSecret(secret)) ?? '');
    return `v1,${mac.update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
