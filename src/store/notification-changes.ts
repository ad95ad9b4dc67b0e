import { fail, type FailureError } from '../domain/failure.ts';
import { isWebhookKey } from '../domain/webhook.ts';
import { maxNotifications, maxWebhooks } from './ports.ts';

/** How many of its kind a store keeps. */
export function mostLike(name: string): number {
  return isWebhookKey(name) ? maxWebhooks : maxNotifications;
}

/** The failure of a writer who has not seen the last version. */
export function notificationConflict(name: string): FailureError {
  const what = isWebhookKey(name) ? `webhook "${name.slice(name.indexOf('/') + 1)}"` : `notification "${name}"`;
  return fail('conflict', `the ${what} was changed by somebody else at the same time`, {
    hint: 'read it and try again',
  });
}

/** The failure of one notification more than are kept. */
export function tooManyNotifications(name: string): FailureError {
  const kind = isWebhookKey(name) ? 'webhooks' : 'notifications';
  return fail('conflict', `there are ${mostLike(name)} ${kind} already`, { hint: 'delete one' });
}
