import { fail, type Failure, type FailureError, type FailureReason } from '../domain/failure.ts';

/** What the codes of error documents stand for (azure-api.md §5). */
const reasons: Readonly<Record<string, FailureReason>> = {
  InvalidRequest: 'invalid-request',
  InvalidContext: 'invalid-context',
  Unauthorized: 'unauthenticated',
  AuthorizationFailed: 'forbidden',
  ResourceNotFound: 'not-found',
  Conflict: 'conflict',
  PreconditionFailed: 'conflict',
  Expired: 'expired',
  RequestTooLarge: 'too-large',
  TooManyRequests: 'rate-limited',
  RequestTimeout: 'timed-out',
  NotSupported: 'unsupported',
  SourceUnavailable: 'source-unavailable',
  RedisUnavailable: 'redis-unavailable',
  EngineUnavailable: 'engine-unavailable',
  StorageUnavailable: 'storage-unavailable',
};

interface ErrorDocument {
  readonly code?: string;
  readonly message?: string;
  readonly target?: string;
  readonly hint?: string;
  readonly details?: readonly { readonly message?: string; readonly target?: string }[];
}

function parseDocument(text: string): ErrorDocument | undefined {
  try {
    const { error } = JSON.parse(text) as { readonly error?: ErrorDocument };
    return typeof error?.message === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(code: string | undefined, status: number): FailureReason {
  const known = code === undefined ? undefined : reasons[code];
  if (known !== undefined) return known;
  return status >= 500 ? 'internal' : 'invalid-request';
}

function detailsOf(details: ErrorDocument['details'] = []): Pick<Failure, 'details'> {
  const known = details.map(({ message = '', target }) => ({
    message,
    ...(target !== undefined && { field: target }),
  }));
  return known.length === 0 ? {} : { details: known };
}

/** The failure that an answer other than success stands for; `text` is its body. */
export function failureOfAnswer(server: string, status: number, text: string): FailureError {
  const found = parseDocument(text);
  if (found === undefined) {
    const isGateway = status === 502 || status === 503 || status === 504;
    const what = isGateway ? 'a gateway answers in place of Slipway' : 'what answers is not Slipway';
    return fail('server-unreachable', `${what} at ${server} (status ${status})`, { hint: elsewhereHint });
  }
  return fail(reasonOf(found.code, status), found.message ?? '', {
    ...(found.target !== undefined && { field: found.target }),
    ...(found.hint !== undefined && { hint: found.hint }),
    ...detailsOf(found.details),
  });
}

const elsewhereHint =
  'Check the address: --server, SLIPWAY_SERVER, or SLIPWAY_PORT of the installation on this machine.';
const startHint = 'Start Slipway with slipway up, or say where it runs with --server or SLIPWAY_SERVER.';

/** The system's code behind an error of fetch, however deep it lies. */
export function codeOf(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause ?? (at as { errors?: unknown[] }).errors?.[0]) {
    const { code } = at as { readonly code?: unknown };
    if (typeof code === 'string') return code;
  }
  return undefined;
}

/** The failure `server-unreachable` for an error that a call ended with before there was an answer. */
export function failureOfConnection(server: string, error: unknown): FailureError {
  const code = codeOf(error);
  const cause = error;
  switch (code) {
    case 'ECONNREFUSED':
      return fail('server-unreachable', `nothing answers at ${server}`, { hint: startHint, cause });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail('server-unreachable', `the host of ${server} cannot be found`, { hint: elsewhereHint, cause });
    case undefined:
      return fail('server-unreachable', `${server} cannot be reached: ${wordsOf(error)}`, { cause });
    default:
      return fail('server-unreachable', `the connection to ${server} broke (${code})`, { cause });
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
