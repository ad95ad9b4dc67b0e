import { fail, FailureError, type FailureReason } from '../../../domain/failure.ts';
import { EngineRefusal } from '../errors.ts';
import { oneLine } from '../progress-words.ts';

/** Says that a step may not have something; `why` is a clause. */
export function refuse(what: string, why: string): FailureError {
  return fail('forbidden', `a step may not have ${what}: ${why}`);
}

/** Why most refusals are made. */
export const reachesHost = 'it would reach into the machine that runs the containers';

/** Says that something is not there; what others own counts as not there. */
export function missing(kind: string, name: string): FailureError {
  return fail('not-found', `No such ${kind}: ${name.slice(0, 200)}`);
}

/** Says that a value is none. */
export function wrong(message: string): FailureError {
  return fail('invalid-request', message);
}

/** The statuses that clients of the Engine API expect (its "Errors" section). */
const statuses: Partial<Record<FailureReason, number>> = {
  'invalid-request': 400,
  forbidden: 403,
  unsupported: 403,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  'timed-out': 504,
  'engine-unavailable': 503,
};

/** What a client is told of an error: a status, and a line for people; of errors that are nobody's fault but ours no more than that. */
export function describeRefusal(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof EngineRefusal) return { status: error.status, message: oneLine(error.message) };
  if (error instanceof FailureError) {
    return { status: statuses[error.failure.reason] ?? 500, message: error.failure.message };
  }
  return { status: 500, message: 'the engine socket of this run failed at this call' };
}
