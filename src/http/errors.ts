import { FailureError, toFailure, type Failure, type FailureReason } from '../domain/failure.ts';

/** Status and code of each reason. Codes are Azure's where it has one, and stand for one reason each (azure-api.md §5). */
const answers: Readonly<Record<FailureReason, { readonly status: number; readonly code: string }>> = {
  'invalid-request': { status: 400, code: 'InvalidRequest' },
  'invalid-context': { status: 400, code: 'InvalidContext' },
  unauthenticated: { status: 401, code: 'Unauthorized' },
  forbidden: { status: 403, code: 'AuthorizationFailed' },
  'not-found': { status: 404, code: 'ResourceNotFound' },
  conflict: { status: 409, code: 'Conflict' },
  expired: { status: 410, code: 'Expired' },
  'too-large': { status: 413, code: 'RequestTooLarge' },
  'rate-limited': { status: 429, code: 'TooManyRequests' },
  'timed-out': { status: 408, code: 'RequestTimeout' },
  unsupported: { status: 400, code: 'NotSupported' },
  'source-unavailable': { status: 400, code: 'SourceUnavailable' },
  'redis-unavailable': { status: 503, code: 'RedisUnavailable' },
  'engine-unavailable': { status: 503, code: 'EngineUnavailable' },
  'storage-unavailable': { status: 503, code: 'StorageUnavailable' },
  'server-unreachable': { status: 502, code: 'BadGateway' },
  internal: { status: 500, code: 'InternalServerError' },
};

/** What an error answers with. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: {
      readonly code: string;
      readonly message: string;
      readonly target?: string;
      /** What to do next; not in Azure's documents. */
      readonly hint?: string;
      readonly details?: readonly { readonly code: string; readonly message: string; readonly target?: string }[];
    };
  };
}

/** A fault that only HTTP has: the method, the media type. */
export class ProtocolError extends FailureError {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(answer: { status: number; code: string; headers?: Readonly<Record<string, string>> }, message: string) {
    super({ reason: 'invalid-request', message });
    this.status = answer.status;
    this.code = answer.code;
    this.headers = answer.headers ?? {};
  }
}

/** The faults that Express and its body parser find, by their `type`, said in our words. */
const parserMessages: Readonly<Record<string, readonly [FailureReason, string]>> = {
  'entity.parse.failed': ['invalid-request', 'the request body is not valid JSON'],
  'entity.too.large': ['too-large', 'the request body is larger than 1 MiB'],
  'request.aborted': ['invalid-request', 'the connection broke while the request body was being read'],
  'request.size.invalid': ['invalid-request', 'the request body is not as long as its Content-Length says'],
};

/** The failure behind anything thrown on the way of a request. */
function toRequestFailure(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  const { status, type } = (error ?? {}) as { readonly status?: unknown; readonly type?: unknown };
  const known = typeof type === 'string' ? parserMessages[type] : undefined;
  if (known !== undefined) return { reason: known[0], message: known[1] };
  const isClientFault = typeof status === 'number' && status >= 400 && status < 500;
  return isClientFault ? { reason: 'invalid-request', message: 'the request is malformed' } : toFailure(error);
}

function formatDetails(
  failure: Failure,
  code: string,
): { details?: { code: string; message: string; target?: string }[] } {
  if (failure.details === undefined) return {};
  return { details: failure.details.map(({ message, field }) => ({ code, message, ...(field && { target: field }) })) };
}

/** The status, headers and document that an error is answered with; complete for every reason. */
export function answerError(error: unknown): ErrorAnswer {
  const failure = toRequestFailure(error);
  const { status, code } = error instanceof ProtocolError ? error : answers[failure.reason];
  const isBusy = status === 503 || status === 429;
  return {
    status,
    headers: {
      ...(isBusy && { 'Retry-After': String(failure.retryAfterSeconds ?? 5) }),
      ...(status === 401 && { 'WWW-Authenticate': 'Basic realm="slipway", charset="UTF-8"' }),
      ...(error instanceof ProtocolError && error.headers),
    },
    body: {
      error: {
        code,
        message: failure.message,
        ...(failure.field !== undefined && { target: failure.field }),
        ...(failure.hint !== undefined && { hint: failure.hint }),
        ...formatDetails(failure, code),
      },
    },
  };
}
