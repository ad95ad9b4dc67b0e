import { fail, FailureError } from '../../domain/failure.ts';

/** The code of a system error (`ENOENT`), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** What a failed file operation means to the caller: `conflict` for a key that is a folder, else `storage-unavailable`. */
export function toStorageFailure(error: unknown): Error {
  if (error instanceof FailureError) return error;
  const code = systemCode(error);
  if (code === undefined) return error instanceof Error ? error : new Error(String(error));
  if (['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY'].includes(code)) {
    return fail('conflict', 'an object with this key, or one that it would be the folder of, is there', {
      cause: error,
    });
  }
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return fail('storage-unavailable', full ? 'the disk of the blob store is full' : `the blob store failed (${code})`, {
    cause: error,
    ...(full && { hint: 'free some space under the data directory, then try again' }),
  });
}

/** Runs a file operation, with its errors translated. */
export async function guard<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw toStorageFailure(error);
  }
}

/** As {@link guard}, with undefined when the file, or a folder above it, is not there. */
export async function guardAbsent<T>(operation: () => Promise<T>): Promise<T | undefined> {
  try {
    return await operation();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw toStorageFailure(error);
  }
}
