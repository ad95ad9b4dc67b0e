import type { Notification } from '../../domain/notification.ts';
import type { InstallationKey } from '../../secret/key-ring.ts';
import { seal, unseal } from '../../secret/seal.ts';

/** What of a notification is kept encrypted. */
export interface NotificationSecrets {
  readonly secret: string;
  /** The one before, which still signs until `until` (milliseconds since the epoch). */
  readonly previous?: { readonly secret: string; readonly until: number };
  readonly headers: Readonly<Record<string, string>>;
}

/** Sealed for its name, so that nobody who can write to the store can put one in the place of another. */
export function notificationPurpose(name: string): string {
  return `notification:${name}`;
}

export function sealNotification(key: InstallationKey, name: string, secrets: NotificationSecrets): string {
  return seal(key, secrets, notificationPurpose(name));
}

/** Throws `internal` when the key is another one. */
export function openNotification(key: InstallationKey, { name, sealed }: Notification): NotificationSecrets {
  return unseal(key, sealed, notificationPurpose(name)) as NotificationSecrets;
}

/** The secrets that sign at a time, the newest first. */
export function signingSecrets({ secret, previous }: NotificationSecrets, now: number): readonly string[] {
  return previous && previous.until > now ? [secret, previous.secret] : [secret];
}
