/**
 * The catalogue of everything that can be wrong, by `reason`. HTTP statuses, CLI exit codes and OCI error codes are
 * tables over these reasons (`Record<FailureReason, …>`), so that a new reason cannot be forgotten in one of them.
 */
export const failureReasons = [
  'invalid-request', // what was sent makes no sense: a field, a name, a range
  'invalid-context', // what was sent as a build context is not one: no tar, a bomb, names out of the root
  'unauthenticated',
  'forbidden',
  'not-found',
  'conflict',
  'expired', // a signed URL or token that was good once
  'too-large',
  'rate-limited',
  'timed-out',
  'unsupported',
  'source-unavailable', // a git or tarball URL that does not give a context
  'redis-unavailable',
  'engine-unavailable',
  'storage-unavailable',
  'server-unreachable', // the CLI could not reach Slipway
  'internal', // a bug of ours
] as const;

export type FailureReason = (typeof failureReasons)[number];

/** What went wrong, said for the person who can mend it. */
export interface Failure {
  readonly reason: FailureReason;
  /** One sentence for people; names the field or file, never holds a secret. */
  readonly message: string;
  /** The field of the request body, query or header that is wrong, as a JSON path (`imageNames[0]`). */
  readonly field?: string;
  /** What to do next. */
  readonly hint?: string;
  /** Further faults found in the same input. */
  readonly details?: readonly { readonly field?: string; readonly message: string }[];
  /** Seconds after which trying again makes sense. */
  readonly retryAfterSeconds?: number;
}

/** The one exception that carries a {@link Failure}; each edge (HTTP, CLI, registry, worker) converts it in one place. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}

/** Makes a {@link FailureError}: `throw fail('not-found', 'run cf1 does not exist')`. */
export function fail(
  reason: FailureReason,
  message: string,
  more: Omit<Failure, 'reason' | 'message'> & ErrorOptions = {},
): FailureError {
  const { cause, ...rest } = more;
  return new FailureError({ reason, message, ...rest }, cause === undefined ? undefined : { cause });
}

/** The failure that an unknown thrown value stands for; what is not ours becomes `internal` without its text. */
export function toFailure(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  return { reason: 'internal', message: 'an internal error occurred; the server log has the details' };
}
