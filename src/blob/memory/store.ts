import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fail } from '../../domain/failure.ts';
import { checkBlobKey, checkUploadId } from '../key.ts';
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

interface Stored {
  readonly bytes: Buffer;
  readonly modifiedAt: number;
}

/**
 * A blob store in memory, for tests and throw-away installations: the contract of {@link BlobStore} except that
 * nothing survives the process.
 * @param now milliseconds since the epoch.
 */
export function createMemoryBlobStore(now: () => number): BlobStore {
  return new MemoryBlobStore(now);
}

class MemoryBlobStore implements BlobStore {
  readonly #objects = new Map<string, Stored>();
  readonly #staged = new Map<string, Stored>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  async stat(key: string): Promise<BlobStat | undefined> {
    const found = this.#objects.get(checkBlobKey(key));
    return Promise.resolve(found && { size: found.bytes.length, modifiedAt: found.modifiedAt });
  }

  async read(key: string, range?: ByteRange): Promise<BlobReading | undefined> {
    const bytes = await this.readSmall(key, Infinity);
    if (bytes === undefined) return undefined;
    const { start, end } = clipRange(range, bytes.length);
    const stream = Readable.from(bytes.length === 0 ? [] : [bytes.subarray(start, end + 1)]);
    return {
      size: bytes.length,
      stream,
      sendTo: (target) => pipeline(stream, target),
      close: async () => void stream.destroy(),
    };
  }

  async readSmall(key: string, maxBytes = smallObjectBytes): Promise<Buffer | undefined> {
    const found = await Promise.resolve(this.#objects.get(checkBlobKey(key)));
    if (found === undefined) return undefined;
    if (found.bytes.length <= maxBytes) return Buffer.from(found.bytes);
    throw fail('too-large', `the object has more than ${String(maxBytes)} bytes`, { field: 'key' });
  }

  async flush(): Promise<void> {
    return Promise.resolve();
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<boolean> {
    await Promise.resolve(checkBlobKey(key));
    if (options.ifAbsent === true && this.#objects.has(key)) return false;
    this.#store(key, Buffer.from(bytes));
    return true;
  }

  async delete(key: string): Promise<boolean> {
    return Promise.resolve(this.#objects.delete(checkBlobKey(key)));
  }

  async list(prefix: string, page: { after?: string; limit?: number } = {}): Promise<KeyPage> {
    const { after = '', limit = 1000 } = page;
    const matching = [...this.#objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const keys = matching.slice(0, limit);
    const last = keys.at(-1);
    return Promise.resolve(matching.length > limit && last !== undefined ? { keys, next: last } : { keys });
  }

  async begin(id: string): Promise<StagedUpload> {
    if (this.#staged.has(checkUploadId(id))) throw fail('conflict', 'an upload with this id is under way');
    this.#staged.set(id, { bytes: Buffer.alloc(0), modifiedAt: this.#now() });
    return Promise.resolve(this.#upload(id, Buffer.alloc(0)));
  }

  async resume(id: string): Promise<StagedUpload | undefined> {
    const found = await Promise.resolve(this.#staged.get(checkUploadId(id)));
    return found && this.#upload(id, found.bytes);
  }

  async listStaged(prefix: string): Promise<readonly StagedInfo[]> {
    const all = [...this.#staged].map(([id, { modifiedAt }]) => ({ id, modifiedAt }));
    return Promise.resolve(all.filter(({ id }) => id.startsWith(prefix)));
  }

  #store(key: string, bytes: Buffer): void {
    for (const other of this.#objects.keys()) {
      if (other.startsWith(`${key}/`) || key.startsWith(`${other}/`)) {
        throw fail('conflict', 'an object with this key, or one that it would be the folder of, is there');
      }
    }
    this.#objects.set(key, { bytes, modifiedAt: this.#now() });
  }

  #upload(id: string, bytes: Buffer): StagedUpload {
    return new MemoryUpload(id, bytes, {
      keep: (kept) => this.#staged.set(id, { bytes: kept, modifiedAt: this.#now() }),
      commit: (key, whole) => {
        this.#store(checkBlobKey(key), whole);
        this.#staged.delete(id);
      },
      discard: () => this.#staged.delete(id),
    });
  }
}

interface UploadEnds {
  keep(bytes: Buffer): void;
  commit(key: string, bytes: Buffer): void;
  discard(): void;
}

class MemoryUpload implements StagedUpload {
  readonly id: string;
  readonly #ends: UploadEnds;
  #bytes: Buffer;

  constructor(id: string, bytes: Buffer, ends: UploadEnds) {
    this.id = id;
    this.#bytes = bytes;
    this.#ends = ends;
  }

  get offset(): number {
    return this.#bytes.length;
  }

  async append(source: AsyncIterable<Uint8Array>, observe?: (chunk: Uint8Array) => void): Promise<number> {
    const chunks: Uint8Array[] = [this.#bytes];
    try {
      for await (const chunk of source) {
        observe?.(chunk);
        chunks.push(chunk);
      }
    } finally {
      this.#bytes = Buffer.concat(chunks);
      this.#ends.keep(this.#bytes);
    }
    return this.offset;
  }

  read(): Readable {
    return Readable.from(this.offset === 0 ? [] : [Buffer.from(this.#bytes)]);
  }

  async commit(key: string): Promise<void> {
    await Promise.resolve();
    this.#ends.commit(key, this.#bytes);
  }

  async discard(): Promise<void> {
    this.#ends.discard();
    return Promise.resolve();
  }

  async release(): Promise<void> {
    return Promise.resolve();
  }
}
