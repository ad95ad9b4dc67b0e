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
  // Those of the registry (OCI distribution-spec, "Error Codes").
  UNAUTHORIZED: 'unauthenticated',
  DENIED: 'forbidden',
  NAME_UNKNOWN: 'not-found',
  MANIFEST_UNKNOWN: 'not-found',
  TOOMANYREQUESTS: 'rate-limited',
  UNAVAILABLE: 'storage-unavailable',
  SIZE_INVALID: 'too-large',
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
    const document = JSON.parse(text) as { readonly error?: ErrorDocument; readonly errors?: readonly ErrorDocument[] };
    const error = document.error ?? document.errors?.[0];
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

const trustHint =
  'If it is yours, give the certificate of its authority in SLIPWAY_CA_FILE; slipway cert show looks at it.';

/** What is wrong with a server's certificate, by OpenSSL's and Node's codes. */
const certificateFaults: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody that is trusted here has signed it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'nobody that is trusted here has signed it',
  SELF_SIGNED_CERT_IN_CHAIN: 'nobody that is trusted here has signed it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'nobody that is trusted here has signed it',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet; is the clock right?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is not made out to this host',
};

/** True when a connection failed over who answers and how, which trying again does not change. */
export function isAboutTls(code: string): boolean {
  return code in certificateFaults || code.startsWith('ERR_SSL_');
}

function failureOfTls(server: string, code: string, cause: unknown): FailureError {
  const fault = certificateFaults[code];
  if (fault !== undefined) {
    const message = `the certificate of ${server} is not trusted: ${fault} (${code})`;
    return fail('server-unreachable', message, { hint: trustHint, cause });
  }
  const hint = 'Does it speak plain HTTP? Then its address begins with http://';
  return fail('server-unreachable', `${server} does not speak TLS as this program does (${code})`, { hint, cause });
}

/** A server that speaks TLS hangs up on whoever does not. */
function plainHint(server: string): { hint?: string } {
  return server.startsWith('http:') ? { hint: 'Does it speak TLS? Then its address begins with https://' } : {};
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
      if (isAboutTls(code)) return failureOfTls(server, code, cause);
      return fail('server-unreachable', `the connection to ${server} broke (${code})`, { ...plainHint(server), cause });
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
