import { fail, FailureError } from '../../domain/failure.ts';

/** The parts of an error of the S3 client that are looked at. */
interface ClientError extends Error {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

function asClientError(error: unknown): ClientError {
  return error instanceof Error ? error : new Error(String(error));
}

/** The HTTP status that the server answered with, or undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  return asClientError(error).$metadata?.httpStatusCode;
}

/** True when the request was sent more than once, so that an earlier one may have been carried out. */
export function wasRepeated(error: unknown): boolean {
  return (asClientError(error).$metadata?.attempts ?? 1) > 1;
}

/** S3's code of the error (`NoSuchKey`), or that of the connection (`ECONNREFUSED`). */
export function codeOf(error: unknown): string {
  const { name, code } = asClientError(error);
  return name === 'Error' && typeof code === 'string' ? code : name;
}

const refusals = ['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'CredentialsProviderError'];

function explain(error: unknown): { readonly message: string; readonly hint?: string } {
  const code = codeOf(error);
  if (code === 'NoSuchBucket')
    return { message: 'the bucket is not there', hint: 'make it, or check its name and region' };
  if (refusals.includes(code) || statusOf(error) === 403)
    return {
      message: `the object store refused our credentials (${code})`,
      hint: 'check the access key and its rights',
    };
  const status = statusOf(error);
  const said = status === undefined ? code : `${code}, HTTP ${String(status)}`;
  return { message: `the object store failed (${said})` };
}

/**
 * What a failed request means to the caller: `storage-unavailable`, or `invalid-request` for a key that is too long.
 * The client's own text is left out: it may quote the access key, the signature or the address.
 */
export function toStorageFailure(error: unknown): Error {
  if (error instanceof FailureError) return error;
  if (codeOf(error) === 'KeyTooLongError')
    return fail('invalid-request', 'the key is too long for the object store', { field: 'key' });
  const { message, hint } = explain(error);
  return fail('storage-unavailable', message, hint === undefined ? {} : { hint });
}

/** Runs a request, with its errors translated; `absent` for an object that is not there. */
export async function request<T, A = never>(operation: () => Promise<T>, absent?: () => A): Promise<T | A> {
  try {
    return await operation();
  } catch (error) {
    const isAbsent = statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket';
    if (absent !== undefined && isAbsent) return absent();
    throw toStorageFailure(error);
  }
}
