import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
import { createDirectories, type Directories } from './directories.ts';
import { guard, guardAbsent, systemCode, toStorageFailure } from './errors.ts';
import { walkKeys } from './listing.ts';
import { BufferPool, DiskReading } from './reading.ts';
import { DiskUpload } from './staging.ts';

const staleTemporaryMs = 60 * 60 * 1000;
const flushedAtOnce = 16;

/**
 * A blob store in a directory, made when missing. Objects are files named by their keys; uploads and writes under way
 * lie in `.staging` beside them, on the same file system, so that becoming visible is one rename.
 * @param now milliseconds since the epoch, for telling writes that a crash left behind from those under way.
 */
export async function createDiskBlobStore(root: string, now: () => number): Promise<BlobStore> {
  const staging = join(root, '.staging');
  await guard(() => mkdir(staging, { recursive: true }));
  await removeStaleTemporaries(staging, now());
  return new DiskBlobStore(root, staging);
}

async function removeStaleTemporaries(staging: string, now: number): Promise<void> {
  for (const name of await guard(() => readdir(staging))) {
    const path = join(staging, name);
    if (!name.startsWith('put.')) continue;
    const found = await guardAbsent(() => stat(path));
    if (found !== undefined && now - found.mtimeMs > staleTemporaryMs) await guard(() => rm(path, { force: true }));
  }
}

class DiskBlobStore implements BlobStore {
  readonly #root: string;
  readonly #staging: string;
  readonly #directories: Directories;
  readonly #buffers = new BufferPool();
  /** Files that were put without being synced. */
  readonly #unsynced = new Set<string>();
  /** Why it cannot be told any more whether these reached the disk, if so: the kernel reports a failed sync once, and forgets the bytes. */
  #lost: Error | undefined;

  constructor(root: string, staging: string) {
    this.#root = root;
    this.#staging = staging;
    this.#directories = createDirectories(root);
  }

  async stat(key: string): Promise<BlobStat | undefined> {
    const path = this.#pathOf(key);
    const found = await guardAbsent(() => stat(path));
    return found?.isFile() === true ? { size: found.size, modifiedAt: found.mtimeMs } : undefined;
  }

  async read(key: string, range?: ByteRange): Promise<BlobReading | undefined> {
    const path = this.#pathOf(key);
    const file = await guardAbsent(() => open(path, 'r'));
    if (file === undefined) return undefined;
    try {
      const found = await guard(() => file.stat());
      if (found.isFile()) return new DiskReading(file, found.size, clipRange(range, found.size), this.#buffers);
      await file.close();
      return undefined;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async readSmall(key: string, maxBytes = smallObjectBytes): Promise<Buffer | undefined> {
    const path = this.#pathOf(key);
    const found = await this.stat(key);
    if (found === undefined) return undefined;
    if (found.size > maxBytes)
      throw fail('too-large', `the object has more than ${String(maxBytes)} bytes`, { field: 'key' });
    return guardAbsent(() => readFile(path));
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<boolean> {
    const target = this.#pathOf(key);
    const temporary = join(this.#staging, `put.${randomUUID()}`);
    const { ifAbsent = false, isLasting = true } = options;
    let isMoved = false;
    try {
      await guard(() => writeNew(temporary, bytes, isLasting));
      if (isLasting || ifAbsent) {
        const place = (): Promise<void> => (ifAbsent ? link(temporary, target) : rename(temporary, target));
        const isPlaced = await guard(() => this.#place(target, place, ifAbsent));
        isMoved = !ifAbsent;
        return isPlaced;
      }
      await guard(() => this.#directories.moveInto(dirname(target), () => rename(temporary, target)));
      this.#unsynced.add(target);
      isMoved = true;
      return true;
    } finally {
      if (!isMoved) await rm(temporary, { force: true });
    }
  }

  async flush(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
    const paths = [...this.#unsynced];
    this.#unsynced.clear(); // what is put from now on needs the next flush
    try {
      await this.#syncAll(paths);
    } catch (error) {
      for (const path of paths) this.#unsynced.add(path);
      throw error;
    }
  }

  async #syncAll(paths: readonly string[]): Promise<void> {
    for (let start = 0; start < paths.length; start += flushedAtOnce) {
      await Promise.all(paths.slice(start, start + flushedAtOnce).map((path) => this.#syncFile(path)));
    }
    const directories = new Set(paths.map((path) => dirname(path)));
    for (const directory of directories) await guardAbsent(() => this.#directories.sync(directory));
  }

  async #syncFile(path: string): Promise<void> {
    const file = await guardAbsent(() => open(path, 'r'));
    try {
      await file?.datasync();
    } catch (error) {
      this.#lost = toStorageFailure(error);
      throw this.#lost;
    } finally {
      await file?.close();
    }
  }

  async delete(key: string): Promise<boolean> {
    const path = this.#pathOf(key);
    const removed = await guardAbsent(async () => {
      await rm(path);
      await this.#directories.sync(dirname(path));
      return true;
    });
    return removed ?? false;
  }

  async list(prefix: string, page: { after?: string; limit?: number } = {}): Promise<KeyPage> {
    const limit = page.limit ?? 1000;
    const keys: string[] = [];
    for await (const key of walkKeys(this.#root, prefix, page.after)) {
      if (keys.length === limit) return { keys, next: keys[limit - 1] ?? key };
      keys.push(key);
    }
    return { keys };
  }

  async begin(id: string): Promise<StagedUpload> {
    const place = this.#staged(id);
    const file = await guard(() => open(place.path, 'wx+', 0o644));
    return new DiskUpload(place, 0, file);
  }

  async resume(id: string): Promise<StagedUpload | undefined> {
    const place = this.#staged(id);
    const found = await guardAbsent(() => stat(place.path));
    return found === undefined ? undefined : new DiskUpload(place, found.size);
  }

  async listStaged(prefix: string): Promise<readonly StagedInfo[]> {
    const names = await guard(() => readdir(this.#staging));
    const staged: StagedInfo[] = [];
    for (const name of names) {
      if (!name.startsWith(`upload.${prefix}`)) continue;
      const found = await guardAbsent(() => stat(join(this.#staging, name)));
      if (found !== undefined) staged.push({ id: name.slice('upload.'.length), modifiedAt: found.mtimeMs });
    }
    return staged;
  }

  async #place(target: string, place: () => Promise<void>, ifAbsent: boolean): Promise<boolean> {
    try {
      await this.#directories.placeInto(dirname(target), place);
      return true;
    } catch (error) {
      if (ifAbsent && systemCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  #staged(id: string): ConstructorParameters<typeof DiskUpload>[0] {
    const path = join(this.#staging, `upload.${checkUploadId(id)}`);
    return { id, path, directories: this.#directories, pathOf: (key) => this.#pathOf(key) };
  }

  #pathOf(key: string): string {
    return join(this.#root, checkBlobKey(key));
  }
}

async function writeNew(path: string, bytes: Uint8Array, isSynced: boolean): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    if (isSynced) await file.datasync();
  } finally {
    await file.close();
  }
}
