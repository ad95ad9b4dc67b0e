import { fail, FailureError } from '../domain/failure.ts';

const whole = /^the request body/;

/**
 * Runs a check of a part of a body; where it fails, the field is named as it stands in the whole (`step` and `target` come to
 * `step.target`). What it throws besides failures goes through.
 */
export function within<T>(place: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { reason, message, field, ...more } = error.failure;
    const path = field === undefined ? place : `${place}${field.startsWith('[') ? '' : '.'}${field}`;
    const text = field !== undefined && message.startsWith(field) ? path + message.slice(field.length) : message;
    throw fail(reason, text.replace(whole, place), { ...more, field: path });
  }
}
