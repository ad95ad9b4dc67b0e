import { fail, FailureError, type FailureReason } from '../../domain/failure.ts';
import { OciError } from '../errors.ts';

const reasons: Readonly<Record<number, FailureReason>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  412: 'conflict',
  413: 'too-large',
  429: 'rate-limited',
  503: 'storage-unavailable',
  507: 'storage-unavailable',
};

/** What an import ended with, for people; undefined: a bug of ours. */
export function failureOf(error: unknown): FailureError | undefined {
  if (error instanceof FailureError) return error;
  if (!(error instanceof OciError)) return undefined;
  return fail(reasons[error.status] ?? 'invalid-request', error.message, { cause: error });
}
