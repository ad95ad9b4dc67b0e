import { fail, type FailureError } from '../domain/failure.ts';
import { maxSecrets } from './ports.ts';

/** The failure of a secret too many. */
export function tooManySecrets(): FailureError {
  return fail('conflict', `there are ${maxSecrets} secrets already, and no more are kept`, {
    hint: 'delete one that is not used any more: slipway secret list, slipway secret delete NAME',
  });
}
