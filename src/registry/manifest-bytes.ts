import { LRUCache } from 'lru-cache';
import type { BlobStore } from '../blob/ports.ts';
import type { Digest } from '../domain/digest.ts';
import type { Change } from './changes.ts';
import { contentKey } from './layout.ts';
import { settleAll } from './settle.ts';

/** Manifests up to this size are written into the journal too: one sync makes them durable with their tags. */
export const inlineBytes = 64 * 1024;
/** The same for other blobs, which are many and need not be read again. */
export const inlineBlobBytes = 32 * 1024;

/** Bytes that may wait for their place before pushes wait with them. */
const mostUnplaced = 16 * 1024 * 1024;
/** Bytes that may wait for a moment. */
const usualUnplaced = 2 * 1024 * 1024;
const atOnce = 4;

export interface ManifestBytesOptions {
  /** Bytes of manifests that are kept in memory. */
  readonly cacheBytes: number;
  /** Other processes write snapshots, too, which cannot flush what this one has put. */
  readonly isShared?: boolean;
  /** How long little that has come waits for its place, milliseconds. */
  readonly placeAfterMs?: number;
}

/**
 * The bytes of manifests and other small contents. They lie in the store by their digest; small ones come through the journal first, and are here until it is known
 * that the store has them, whatever process was to write them.
 */
export class ManifestBytes {
  readonly #storage: BlobStore;
  readonly #isShared: boolean;
  readonly #cache: LRUCache<string, Buffer>;
  readonly #unplaced = new Map<Digest, Buffer>();
  /** Of these, those that an earlier process may have put without a flush: after a power cut, a file may have its size and not its bytes. */
  readonly #doubtful = new Set<Digest>();
  #unplacedBytes = 0;
  readonly #placeAfterMs: number;
  #later: NodeJS.Timeout | undefined;
  #placing: Promise<void> | undefined;
  /** One run at a time: a slower one would put bytes that are not flushed in the place of bytes that are. */
  #turn: Promise<void> = Promise.resolve();

  constructor(storage: BlobStore, { cacheBytes, isShared = false, placeAfterMs = 0 }: ManifestBytesOptions) {
    this.#storage = storage;
    this.#isShared = isShared;
    this.#placeAfterMs = placeAfterMs;
    this.#cache = new LRUCache({ maxSize: cacheBytes, sizeCalculation: (bytes) => Math.max(1, bytes.length) });
  }

  /** Takes in the bytes that changes of the journal bring. */
  note(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.is === 'content' && change.record?.state === 'removing') this.forget(change.digest);
      if (!('bytes' in change)) continue;
      const bytes = Buffer.from(change.bytes, 'base64');
      if (!this.#unplaced.has(change.digest)) this.#unplacedBytes += bytes.length;
      this.#unplaced.set(change.digest, bytes);
      if (change.is === 'manifest') this.#cache.set(change.digest, bytes);
    }
  }

  /** Bytes that came through the journal and may not have their place yet. */
  unplaced(digest: Digest): Buffer | undefined {
    return this.#unplaced.get(digest);
  }

  /** Those that are in memory. */
  known(digest: Digest): Buffer | undefined {
    return this.#cache.get(digest) ?? this.#unplaced.get(digest);
  }

  /** Undefined when they are lost. */
  async read(digest: Digest): Promise<Buffer | undefined> {
    const known = this.known(digest);
    if (known !== undefined) return known;
    const bytes = await this.#storage.readSmall(contentKey(digest));
    if (bytes !== undefined) this.#cache.set(digest, bytes);
    return bytes;
  }

  /** Puts bytes where they belong, durably, unless they are there. */
  async place(digest: Digest, bytes: Buffer): Promise<void> {
    const found = await this.#storage.stat(contentKey(digest));
    if (found?.size !== bytes.length) await this.#storage.put(contentKey(digest), bytes);
  }

  /**
   * Puts everything where it belongs that has come through the journal by now; after this, and a flush of the store, the journal is not
   * needed for these bytes.
   */
  placeAll(): Promise<void> {
    const mine = this.#turn.then(() => this.#placeThese([...this.#unplaced]));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** What has come by now came before this process began: it is put again, even where it is. */
  doubt(): void {
    for (const digest of this.#unplaced.keys()) this.#doubtful.add(digest);
  }

  /** What cannot be placed keeps nothing else from its place; rejects at the end with the first error. */
  async #placeThese(all: readonly (readonly [Digest, Buffer])[]): Promise<void> {
    const batches: Promise<void>[] = [];
    for (let start = 0; start < all.length; start += atOnce) {
      const some = all.slice(start, start + atOnce);
      const batch = settleAll(some.map(([digest, bytes]) => this.#placeForNow(digest, bytes)));
      batches.push(batch);
      await batch.catch(() => undefined);
    }
    await settleAll(batches);
  }

  /** The journal has these bytes until the store has been flushed, see checkpoints.ts. */
  async #placeForNow(digest: Digest, bytes: Buffer): Promise<void> {
    if (this.#unplaced.get(digest) !== bytes) return;
    const isThere = await this.#isThere(digest, bytes.length);
    if (!isThere) await this.#storage.put(contentKey(digest), bytes, this.#isShared ? {} : { isLasting: false });
    // Meanwhile they may have been removed and have come again.
    if (this.#unplaced.get(digest) === bytes) this.#isPlaced(digest);
  }

  async #isThere(digest: Digest, size: number): Promise<boolean> {
    return !this.#doubtful.has(digest) && (await this.#storage.stat(contentKey(digest)))?.size === size;
  }

  /**
   * Sees to it that they get their place: in a moment, so that those who push a little are not held up by it; at once when much has gathered;
   * and waits for it when there is too much. What fails is tried again by whoever calls next.
   */
  async placeSoon(): Promise<void> {
    if (this.#placeAfterMs > 0 && this.#unplacedBytes <= usualUnplaced && this.#placing === undefined) {
      this.#later ??= setTimeout(() => {
        this.#start().catch(() => undefined);
      }, this.#placeAfterMs).unref();
      return;
    }
    const placing = this.#start();
    if (this.#unplacedBytes > mostUnplaced) await placing;
    else placing.catch(() => undefined);
  }

  #start(): Promise<void> {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#placing ??= this.#placeOn().finally(() => {
      this.#placing = undefined;
    });
    return this.#placing;
  }

  /** The same where others push, and only when there is much. */
  placeIfMuch(): void {
    if (this.#unplacedBytes > mostUnplaced / 2) this.placeSoon().catch(() => undefined);
  }

  async #placeOn(): Promise<void> {
    while (this.#unplaced.size > 0) await this.placeAll();
  }

  /** What came through the journal for content that is gone for good need not be placed. */
  forget(digest: Digest): void {
    this.#isPlaced(digest);
    this.#cache.delete(digest);
  }

  #isPlaced(digest: Digest): void {
    this.#unplacedBytes -= this.#unplaced.get(digest)?.length ?? 0;
    this.#unplaced.delete(digest);
    this.#doubtful.delete(digest);
  }
}
