import type { NotificationSecrets } from './sealed.ts';
import { checkHeaders, type HeaderRules } from './headers.ts';
import { checkSigningSecret, createSigningSecret } from './signature.ts';

/** What a wish says of secrets; absent: as they were. */
export interface SecretWish {
  readonly secret?: string | undefined;
  readonly rotateSecret?: boolean | undefined;
  readonly customHeaders?: Readonly<Record<string, string>> | undefined;
}

/** What is to be kept, and the secret that was made for it. */
export interface SecretChange {
  readonly secrets: NotificationSecrets;
  readonly made?: string;
}

/** For how long the secret before signs too. */
const oldSecretMs = 24 * 3600 * 1000;

function decideSecret(wish: SecretWish, old: string | undefined, field: string): { secret: string; made?: string } {
  if (wish.secret !== undefined) return { secret: checkSigningSecret(wish.secret, field) };
  if (old !== undefined && wish.rotateSecret !== true) return { secret: old };
  const made = createSigningSecret();
  return { secret: made, made };
}

export interface SecretsBefore {
  readonly old: NotificationSecrets | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly rules?: HeaderRules;
}

/** A secret that is replaced signs for a while yet. */
function findPrevious(secret: string, { old, now }: SecretsBefore): NotificationSecrets['previous'] {
  const isReplaced = old !== undefined && old.secret !== secret;
  return isReplaced ? { secret: old.secret, until: now + oldSecretMs } : old?.previous;
}

/** What becomes of a notification's secrets: what the wish does not speak of stays. Throws `invalid-request`. */
export function decideSecrets(wish: SecretWish, before: SecretsBefore): SecretChange {
  const { old, rules = {} } = before;
  const { secret, made } = decideSecret(wish, old?.secret, `${rules.at ?? ''}secret`);
  const previous = findPrevious(secret, before);
  const headers = wish.customHeaders ? checkHeaders(wish.customHeaders, rules) : (old?.headers ?? {});
  return { secrets: { secret, headers, ...(previous && { previous }) }, ...(made !== undefined && { made }) };
}
