import { buffer } from 'node:stream/consumers';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../../domain/clock.ts';
import { fail } from '../../domain/failure.ts';
import { checkBlobKey, checkUploadId, isBlobKey } from '../key.ts';
import {
  smallObjectBytes,
  type BlobReading,
  type BlobStat,
  type BlobStore,
  type ByteRange,
  type KeyPage,
  type PutOptions,
  type StagedInfo,
  type StagedUpload,
} from '../ports.ts';
import { clipRange } from '../range.ts';
import { Gate } from './bounded.ts';
import { Bucket } from './bucket.ts';
import { PieceBuffers } from './buffers.ts';
import { connectS3, type S3Settings } from './client.ts';
import { toStorageFailure } from './errors.ts';
import { Folders } from './folders.ts';
import { abandonStale } from './multipart.ts';
import { findPieces } from './pieces.ts';
import { honoursIfAbsent } from './probe.ts';
import { S3Reading } from './reading.ts';
import { S3Upload, type StagingPlace } from './staging.ts';
import type { Shared } from './writer.ts';

/** Runs `work` while no other process runs any under the same key. */
export type KeyLock = <T>(key: string, work: () => Promise<T>) => Promise<T>;

export interface S3StoreOptions extends S3Settings {
  readonly clock: Clock;
  /** What makes the first of several writers the only one where the store itself cannot (`If-None-Match: *`). */
  readonly lock?: KeyLock | undefined;
}

const objects = 'objects/';
const staged = 'staged/';
const probes = 'probes/';
const staleAssemblyMs = 24 * 60 * 60 * 1000;
const piecesAtOnce = 8;

/**
 * A blob store in a bucket of S3, or of what speaks its protocol: `objects/<key>`, and `staged/<id>/…` for uploads under
 * way. Rejects with `storage-unavailable` when the bucket cannot be written, with `unsupported` when two processes could
 * both be the first to write a key.
 */
export async function createS3BlobStore(options: S3StoreOptions): Promise<BlobStore> {
  return openS3BlobStore(connectS3(options), options);
}

/** As {@link createS3BlobStore}, over a client that is there already. */
export async function openS3BlobStore(
  client: S3Client,
  options: Pick<S3StoreOptions, 'bucket' | 'prefix' | 'clock' | 'lock'>,
): Promise<BlobStore> {
  const prefix = options.prefix?.replace(/^\/+|\/+$/g, '') ?? '';
  if (prefix !== '' && !isBlobKey(prefix)) {
    throw fail('invalid-request', 'the prefix in the bucket may have letters, digits and "._+=@-" between slashes');
  }
  const bucket = new Bucket(client, options.bucket, prefix === '' ? '' : `${prefix}/`);
  const isHonoured = await honoursIfAbsent(bucket, probes);
  if (!isHonoured && options.lock === undefined) {
    throw fail(
      'unsupported',
      'the object store does not honour "If-None-Match: *", and there is no lock instead of it',
      {
        hint: 'use a newer version of the object store, or another one',
      },
    );
  }
  await abandonStale(bucket, objects, options.clock.now() - staleAssemblyMs);
  return new S3BlobStore(bucket, isHonoured ? undefined : options.lock);
}

class S3BlobStore implements BlobStore {
  readonly #bucket: Bucket;
  readonly #lock: KeyLock | undefined;
  readonly #folders: Folders;
  readonly #shared: Shared;

  constructor(bucket: Bucket, lock: KeyLock | undefined) {
    this.#bucket = bucket;
    this.#lock = lock;
    this.#folders = new Folders(bucket, objects);
    this.#shared = { bucket, buffers: new PieceBuffers(), gate: new Gate(piecesAtOnce) };
  }

  async stat(key: string): Promise<BlobStat | undefined> {
    const found = await this.#bucket.head(objects + checkBlobKey(key));
    return found && { size: found.size, modifiedAt: found.modifiedAt };
  }

  async read(key: string, range?: ByteRange): Promise<BlobReading | undefined> {
    const at = objects + checkBlobKey(key);
    // A server takes a range that ends before it begins for none at all.
    const isBackward = range?.end !== undefined && range.end < range.start;
    const found = isBackward ? 'beyond' : await this.#bucket.open(at, range);
    if (found === undefined || found !== 'beyond') return found && new S3Reading(found);
    const size = (await this.stat(key))?.size;
    if (size !== undefined) clipRange(range, size);
    return undefined;
  }

  async readSmall(key: string, maxBytes = smallObjectBytes): Promise<Buffer | undefined> {
    const reading = await this.read(key);
    if (reading === undefined) return undefined;
    if (reading.size > maxBytes) {
      await reading.close();
      throw fail('too-large', `the object has more than ${String(maxBytes)} bytes`, { field: 'key' });
    }
    return buffer(reading.stream).catch((error: unknown) => {
      throw toStorageFailure(error);
    });
  }

  /** What this store has taken is safe already. */
  async flush(): Promise<void> {
    return Promise.resolve();
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<boolean> {
    checkBlobKey(key);
    if (options.ifAbsent === true) return this.#putFirst(key, bytes);
    await this.#folders.check(key);
    await this.#bucket.put(objects + key, bytes);
    this.#folders.written(key);
    return true;
  }

  async delete(key: string): Promise<boolean> {
    const found = await this.stat(key);
    if (found === undefined) return false;
    await this.#bucket.remove(objects + key);
    this.#folders.removed(key);
    return true;
  }

  async list(prefix: string, page: { after?: string; limit?: number } = {}): Promise<KeyPage> {
    const { limit = 1000 } = page;
    const keys: string[] = [];
    let after = page.after ?? '';
    for (let hasMore = true; hasMore && keys.length < limit;) {
      const found = await this.#bucket.page(objects + prefix, after && objects + after, limit - keys.length);
      keys.push(...found.objects.map((object) => object.key.slice(objects.length)));
      after = keys.at(-1) ?? after;
      hasMore = found.hasMore;
      if (hasMore && keys.length >= limit) return { keys, next: after };
    }
    return { keys };
  }

  async begin(id: string): Promise<StagedUpload> {
    const place = this.#staging(id);
    const begun = `${place.folder}begun`;
    if (!(await this.#putIfAbsent(begun, Buffer.alloc(0)))) {
      throw fail('conflict', 'an upload with this id is under way');
    }
    return new S3Upload(this.#shared, place, { keys: [begun], pieces: [], tail: undefined, strays: [] });
  }

  async resume(id: string): Promise<StagedUpload | undefined> {
    const place = this.#staging(id);
    const found = await findPieces(this.#bucket, place.folder);
    return found.keys.length > 0 ? new S3Upload(this.#shared, place, found) : undefined;
  }

  async listStaged(prefix: string): Promise<readonly StagedInfo[]> {
    const latest = new Map<string, number>();
    for await (const { key, modifiedAt } of this.#bucket.all(staged + prefix)) {
      const [id = ''] = key.slice(staged.length).split('/');
      latest.set(id, Math.max(latest.get(id) ?? 0, modifiedAt));
    }
    return [...latest].map(([id, modifiedAt]) => ({ id, modifiedAt }));
  }

  /** The look for folders costs no time of its own here: an object that was none before can be taken back. */
  async #putFirst(key: string, bytes: Uint8Array): Promise<boolean> {
    const looked = this.#folders.check(key);
    looked.catch(() => undefined); // awaited below, unless the put fails first
    const isFirst = await this.#putIfAbsent(objects + key, bytes);
    if (!isFirst) return false;
    await looked.catch(async (error: unknown) => {
      await this.#bucket.remove(objects + key);
      throw error;
    });
    this.#folders.written(key);
    return true;
  }

  async #putIfAbsent(at: string, bytes: Uint8Array): Promise<boolean> {
    if (this.#lock === undefined) return this.#bucket.putIfAbsent(at, bytes);
    return this.#lock(at, async () => {
      if ((await this.#bucket.head(at)) !== undefined) return false;
      await this.#bucket.put(at, bytes);
      return true;
    });
  }

  #staging(id: string): StagingPlace {
    return {
      id,
      folder: `${staged}${checkUploadId(id)}/`,
      commitTo: async (key, place) => {
        await this.#folders.check(checkBlobKey(key));
        await place(objects + key);
        this.#folders.written(key);
      },
    };
  }
}
