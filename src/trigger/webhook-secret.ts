import { randomBytes } from 'node:crypto';

/** How many secrets of a webhook are good at the same time: the newest, and during a rotation the one before it. */
const maxSecrets = 2;

/**
 * A new secret for a webhook: 32 random bytes as GitLab's signing tokens are written (`whsec_` and base64), which every forge takes as a
 * secret too.
 */
export function createWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/** The secrets with a new one in front; the newest of the old stays good until it is revoked. */
export function rotateSecrets(secrets: readonly string[], fresh: string): readonly string[] {
  return [fresh, ...secrets].slice(0, maxSecrets);
}

/** Only the newest of two; in place of a single one, a new one. Afterwards no secret is good that was the older, or the only one. */
export function revokeOld(secrets: readonly string[], newSecret: () => string): readonly string[] {
  const [newest] = secrets;
  return secrets.length > 1 && newest !== undefined ? [newest] : [newSecret()];
}
