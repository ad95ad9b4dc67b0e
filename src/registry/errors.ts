import { FailureError, type FailureReason } from '../domain/failure.ts';

/** Error codes of the OCI distribution specification ("Error Codes"), and two for faults of the server itself. */
export type OciCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'UNAVAILABLE'
  | 'UNKNOWN';

const usualStatus: Record<OciCode, number> = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
};

const codeOfReason: Record<FailureReason, OciCode> = {
  'invalid-request': 'UNSUPPORTED',
  'invalid-context': 'UNSUPPORTED',
  unauthenticated: 'UNAUTHORIZED',
  forbidden: 'DENIED',
  'not-found': 'NAME_UNKNOWN',
  conflict: 'UNAVAILABLE',
  expired: 'UNAUTHORIZED',
  'too-large': 'SIZE_INVALID',
  'rate-limited': 'TOOMANYREQUESTS',
  'timed-out': 'UNAVAILABLE',
  unsupported: 'UNSUPPORTED',
  'source-unavailable': 'UNAVAILABLE',
  'redis-unavailable': 'UNAVAILABLE',
  'engine-unavailable': 'UNAVAILABLE',
  'storage-unavailable': 'UNAVAILABLE',
  'server-unreachable': 'UNAVAILABLE',
  internal: 'UNKNOWN',
};

/** One entry of an OCI error document. */
export interface OciFault {
  readonly code: OciCode;
  readonly message: string;
  readonly detail?: unknown;
}

/** What a handler throws to answer with an OCI error document. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly status: number;
  readonly faults: readonly OciFault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(faults: readonly OciFault[], status: number, headers: Readonly<Record<string, string>> = {}) {
    super(faults[0]?.message ?? 'error');
    this.faults = faults;
    this.status = status;
    this.headers = headers;
  }
}

/** Makes an {@link OciError} with one entry: `throw oci('BLOB_UNKNOWN', 'no such blob')`; `status` where it is not the code's usual one. */
export function oci(
  code: OciCode,
  message: string,
  more: { detail?: unknown; status?: number; headers?: Record<string, string> } = {},
): OciError {
  const { detail, status = usualStatus[code], headers } = more;
  return new OciError([{ code, message, ...(detail !== undefined && { detail }) }], status, headers);
}

/** The error document that an unknown thrown value stands for; what is not ours keeps its text to itself. */
export function toOciError(error: unknown): OciError {
  if (error instanceof OciError) return error;
  if (error instanceof FailureError) return oci(codeOfReason[error.failure.reason], error.failure.message);
  return oci('UNKNOWN', 'an internal error occurred; the server log has the details');
}
