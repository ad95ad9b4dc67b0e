import type { NotificationSecrets } from './sealed.ts';
import { checkHeaders } from './headers.ts';
import { checkSigningSecret, createSigningSecret } from './signature.ts';
import type { NotificationWish } from './wish.ts';

/** What is to be kept, and the secret that was made for it. */
export interface SecretChange {
  readonly secrets: NotificationSecrets;
  readonly made?: string;
}

/** For how long the secret before signs too. */
const oldSecretMs = 24 * 3600 * 1000;

function decideSecret(wish: NotificationWish, old: string | undefined): { secret: string; made?: string } {
  if (wish.secret !== undefined) return { secret: checkSigningSecret(wish.secret) };
  if (old !== undefined && wish.rotateSecret !== true) return { secret: old };
  const made = createSigningSecret();
  return { secret: made, made };
}

/** What becomes of a notification's secrets: what the wish does not speak of stays. Throws `invalid-request`. */
export function decideSecrets(wish: NotificationWish, old: NotificationSecrets | undefined, now: number): SecretChange {
  const { secret, made } = decideSecret(wish, old?.secret);
  const isReplaced = old !== undefined && old.secret !== secret;
  const previous = isReplaced ? { secret: old.secret, until: now + oldSecretMs } : old?.previous;
  const headers = wish.customHeaders ? checkHeaders(wish.customHeaders) : (old?.headers ?? {});
  return { secrets: { secret, headers, ...(previous && { previous }) }, ...(made !== undefined && { made }) };
}
