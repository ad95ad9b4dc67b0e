import { fail } from '../domain/failure.ts';

const part = /^[A-Za-z0-9_+=@-][A-Za-z0-9._+=@-]{0,254}$/;
const uploadId = /^[a-z0-9-]{1,100}$/;

/**
 * True for a key that names an object below the root on any kind of store: parts joined by `/`, each of at most 255
 * harmless characters and not beginning with a dot, 1024 in all (what S3 allows). So none can be `..`, absolute or hidden.
 */
export function isBlobKey(text: string): boolean {
  return text.length <= 1024 && text.split('/').every((name) => part.test(name));
}

/** Returns the key, or throws `invalid-request`. */
export function checkBlobKey(key: string): string {
  if (isBlobKey(key)) return key;
  throw fail('invalid-request', `"${key.slice(0, 100)}" cannot be the key of a stored object`, { field: 'key' });
}

/** Returns the id of a staged upload, or throws `invalid-request`. */
export function checkUploadId(id: string): string {
  if (uploadId.test(id)) return id;
  throw fail('invalid-request', `"${id.slice(0, 100)}" cannot be the id of an upload`, { field: 'id' });
}
