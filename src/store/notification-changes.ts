import { fail, type FailureError } from '../domain/failure.ts';
import { maxNotifications } from './ports.ts';

/** The failure of a writer who has not seen the last version. */
export function notificationConflict(name: string): FailureError {
  return fail('conflict', `the notification "${name}" was changed by somebody else at the same time`, {
    hint: 'read it and try again',
  });
}

/** The failure of one notification more than are kept. */
export function tooManyNotifications(): FailureError {
  return fail('conflict', `there are ${maxNotifications} notifications already`, { hint: 'delete one' });
}
