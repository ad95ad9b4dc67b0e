import { createReadStream } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import type { StagedUpload } from '../ports.ts';
import { BatchedWriter } from './append.ts';
import type { Directories } from './directories.ts';
import { guard } from './errors.ts';

/** Where an upload lies and where it may go. */
export interface StagingPlace {
  readonly id: string;
  /** The file that holds the staged bytes, on the file system of the objects, so that a commit is a rename. */
  readonly path: string;
  readonly directories: Directories;
  /** The file of a key; throws `invalid-request`. */
  readonly pathOf: (key: string) => string;
}

/** A staged upload as one file, opened when it is first needed. */
export class DiskUpload implements StagedUpload {
  readonly id: string;
  offset: number;
  readonly #place: StagingPlace;
  #file: FileHandle | undefined;

  constructor(place: StagingPlace, offset: number, file?: FileHandle) {
    this.id = place.id;
    this.offset = offset;
    this.#place = place;
    this.#file = file;
  }

  async append(source: AsyncIterable<Uint8Array>, observe?: (chunk: Uint8Array) => void): Promise<number> {
    const file = await guard(() => this.#open());
    const writer = new BatchedWriter(file, this.offset);
    try {
      for await (const chunk of source) {
        observe?.(chunk);
        const busy = writer.add(chunk);
        if (busy !== undefined) await guard(() => busy);
      }
    } finally {
      await this.#finish(writer, file);
    }
    return this.offset;
  }

  read(): Readable {
    if (this.offset === 0) return Readable.from([]);
    return createReadStream(this.#place.path, { end: this.offset - 1, highWaterMark: 1024 * 1024 });
  }

  async commit(key: string): Promise<void> {
    const target = this.#place.pathOf(key);
    await guard(async () => {
      const file = await this.#open();
      await file.chmod(0o444);
      await file.datasync();
      await this.release();
      await this.#place.directories.placeInto(dirname(target), () => rename(this.#place.path, target));
    });
  }

  async discard(): Promise<void> {
    await this.release();
    await guard(() => rm(this.#place.path, { force: true }));
  }

  async release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #finish(writer: BatchedWriter, file: FileHandle): Promise<void> {
    try {
      await guard(() => writer.end());
    } catch (error) {
      // A write that failed in its middle leaves bytes that were never counted: they must not outlive this call.
      await file.truncate(writer.position).catch(() => undefined);
      throw error;
    } finally {
      this.offset = writer.position;
    }
  }

  async #open(): Promise<FileHandle> {
    this.#file ??= await open(this.#place.path, 'r+');
    return this.#file;
  }
}
