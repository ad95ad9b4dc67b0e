import { splitDigest, type Digest } from '../domain/digest.ts';

/*
 * Keys of the registry's objects in the blob store, layout 2: contents by digest, snapshots of the index, and uploads under way.
 * What happened since the newest snapshot is in the journal.
 */

export const layoutVersion = 2;
export const layoutKey = 'registry/LAYOUT';
export const contentPrefix = 'registry/blobs/';
export const snapshotsPrefix = 'registry/snapshots/';
/** Of the journal, where it consists of objects of the same store. */
export const journalPrefix = 'registry/journal/';
export const sessionsPrefix = 'registry/uploads/';

/** Bytes that a check found to be others than their digest says. */
const damagedPrefix = 'registry/damaged/';

/** Staged uploads of the registry begin with this, so that other users of the store keep theirs. */
export const stagedPrefix = 'registry-';
/** Staged snapshots; no upload's id begins so. */
export const stagedSnapshotPrefix = 'snapshot-';

/** Content by digest, shared by all repositories: layers, configs, manifests. */
export function contentKey(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `${contentPrefix}${algorithm}/${hex.slice(0, 2)}/${hex}`;
}

/** Where bytes are put that are not those of the digest; `at`: when, milliseconds since the epoch. */
export function damagedKey(algorithm: string, hex: string, at: number): string {
  return `${damagedPrefix}${algorithm}-${hex}-${String(at)}`;
}

/** Where the bytes of a document of an older layout are put that cannot be read. */
export function damagedDocumentKey(key: string): string {
  return damagedPrefix + key.slice('registry/'.length);
}

/** The reverse of {@link contentKey}; undefined for a key that is no content's. */
export function parseContentKey(key: string): Digest | undefined {
  const [, algorithm, hex] = /^registry\/blobs\/(sha256|sha512)\/[0-9a-f]{2}\/([0-9a-f]+)$/.exec(key) ?? [];
  return algorithm === undefined ? undefined : (`${algorithm}:${hex ?? ''}` as Digest);
}

/** The state after the entry `sequence` of the journal. */
export function snapshotKey(sequence: number): string {
  return `${snapshotsPrefix}${String(sequence).padStart(16, '0')}.ndjson`;
}

/** The reverse of {@link snapshotKey}. */
export function parseSnapshotKey(key: string): number | undefined {
  const [, digits] = /^registry\/snapshots\/(\d{16})\.ndjson$/.exec(key) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

export function sessionKey(id: string): string {
  return `${sessionsPrefix}${id}.json`;
}

/** There while a process uses the session. */
export function sessionLockKey(id: string): string {
  return `${sessionsPrefix}${id}.lock`;
}
