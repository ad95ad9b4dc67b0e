import type { Readable, Writable } from 'node:stream';

/** What is known of a stored object without reading it. */
export interface BlobStat {
  /** Bytes. */
  readonly size: number;
  /** When it was put or committed, milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** First and last byte, both included, as HTTP counts them; without `end`: to the end. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

/** An object being read: use `stream` or `sendTo`, once, or `close` it, for it holds a file or a connection open. */
export interface BlobReading {
  /** Bytes of the whole object, whatever range is read. */
  readonly size: number;
  /** The bytes as a stream, to be read to its end or destroyed. */
  readonly stream: Readable;
  /** Writes the bytes to `target` as fast as it takes them, and ends it; rejects when either side breaks off. */
  sendTo(target: Writable): Promise<void>;
  /** Lets go of an object that will not be read after all. */
  close(): Promise<void>;
}

export interface PutOptions {
  /** Leaves an object that is there as it is, and answers false. */
  readonly ifAbsent?: boolean;
  /** The caller has the bytes elsewhere until {@link BlobStore.flush} has resolved: they need not survive a power cut before. */
  readonly isLasting?: false;
}

/** One page of keys in ascending order of their UTF-16 code units; `next` is there when more follow. */
export interface KeyPage {
  readonly keys: readonly string[];
  /** Hand it to the next call as `after`. */
  readonly next?: string;
}

/** A staged upload that lies in the store. */
export interface StagedInfo {
  readonly id: string;
  /** When bytes last arrived, milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/**
 * Bytes by key: image layers, uploaded contexts, archived logs. Every implementation passes `test/blob/contract.ts`.
 *
 * - Keys are relative paths (`logs/cf1`), see `key.ts`; a bad key rejects with `invalid-request`. A key cannot be the
 *   folder of another one: such a write rejects with `conflict`.
 * - What `put` and `commit` have resolved for survives a power cut, is visible whole or not at all, and replaces
 *   what was there in one step. Reads that began before go on with the bytes they began with.
 * - Calls may run at once, from several processes; on one key the last to finish wins.
 * - Storage that does not answer, or is full, rejects with `storage-unavailable`.
 */
export interface BlobStore {
  /** Undefined when there is no such object. */
  stat(key: string): Promise<BlobStat | undefined>;
  /** Opens an object as a stream; undefined when absent; `invalid-request` for a range that begins beyond its end. */
  read(key: string, range?: ByteRange): Promise<BlobReading | undefined>;
  /** Reads a small object whole; `too-large` when it has more than `maxBytes` (default 8 MiB). */
  readSmall(key: string, maxBytes?: number): Promise<Buffer | undefined>;
  /** Stores a small object; resolves to false only when `ifAbsent` found one. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<boolean>;
  /** Makes durable what was put with `isLasting: false` before the call. */
  flush(): Promise<void>;
  /** Resolves to false when there was none. */
  delete(key: string): Promise<boolean>;
  /** Keys that begin with `prefix` and are greater than `after`, at most `limit` (default 1000). */
  list(prefix: string, page?: { readonly after?: string; readonly limit?: number }): Promise<KeyPage>;
  /**
   * Begins an upload of any size under an id of the caller's choice (`[a-z0-9-]`, at most 100 characters; `conflict`
   * when it is taken). An implementation may leave the bytes where they were staged and make the committed key point there.
   */
  begin(id: string): Promise<StagedUpload>;
  /** Takes up an upload that was begun earlier, perhaps by another process. */
  resume(id: string): Promise<StagedUpload | undefined>;
  /** Uploads neither committed nor discarded whose id begins with `prefix`. */
  listStaged(prefix: string): Promise<readonly StagedInfo[]>;
}

/** An upload under way: invisible until `commit`. One caller uses it at a time. */
export interface StagedUpload {
  readonly id: string;
  /** Bytes stored so far. */
  readonly offset: number;
  /**
   * Stores what `source` gives, in memory that does not grow with it; `observe` sees each chunk once, in order,
   * before it is stored (for hashing and limits: what it throws ends the append). Resolves to the new offset.
   * When the source fails half-way, what it gave is kept, and its error is thrown.
   */
  append(source: AsyncIterable<Uint8Array>, observe?: (chunk: Uint8Array) => void): Promise<number>;
  /** The bytes stored so far. */
  read(): Readable;
  /** Makes the bytes the object `key`, durably; the upload is over. */
  commit(key: string): Promise<void>;
  /** Removes the bytes; idempotent, and without effect after a commit. */
  discard(): Promise<void>;
  /** Lets go of open files; the bytes stay, to be resumed. Idempotent; the upload can be used again afterwards. */
  release(): Promise<void>;
}

/** The bytes of chunks that an append gathers before one write. */
export const appendBatchBytes = 512 * 1024;

/** What `readSmall` reads at most unless told otherwise. */
export const smallObjectBytes = 8 * 1024 * 1024;
