import type { FileHandle } from 'node:fs/promises';
import { appendBatchBytes } from '../ports.ts';

/** Dirty bytes after which the kernel is asked to write them out, so that the sync at the end is short. */
const syncEveryBytes = 16 * 1024 * 1024;

async function writeAll(file: FileHandle, chunks: Uint8Array[], position: number): Promise<number> {
  let at = position;
  let rest = chunks;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, at);
    at += bytesWritten;
    rest = dropBytes(rest, bytesWritten);
  }
  return at;
}

/** What is left of `chunks` after their first `count` bytes. */
function dropBytes(chunks: Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  for (const [index, chunk] of chunks.entries()) {
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(index + 1)];
    left -= chunk.length;
  }
  return [];
}

/** Writes a stream into a file: one write in flight while the next batch is received and observed. */
export class BatchedWriter {
  /** Bytes of the file that are written for certain. */
  position: number;
  readonly #file: FileHandle;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> | undefined;
  #syncError: Error | undefined;
  #unsynced = 0;

  constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.position = position;
  }

  /** Takes a chunk; undefined when there is no need to wait, else the write that must end before the next chunk. */
  add(chunk: Uint8Array): Promise<void> | undefined {
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    return this.#batchBytes < appendBatchBytes ? undefined : this.#flush();
  }

  /** Writes what is left and waits for all of it. */
  async end(): Promise<void> {
    if (this.#batchBytes > 0) await this.#flush();
    await this.#writing;
    await this.#syncing;
    if (this.#syncError !== undefined) throw this.#syncError;
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#unsynced += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#writing;
    this.#writing = this.#write(batch);
    this.#writing.catch(() => undefined); // the next flush, or end(), throws it
  }

  async #write(batch: Uint8Array[]): Promise<void> {
    this.position = await writeAll(this.#file, batch, this.position);
    if (this.#unsynced < syncEveryBytes || this.#syncing !== undefined) return;
    this.#unsynced = 0;
    // The kernel reports a failed sync once: a later one that succeeds proves nothing, so the error is kept.
    this.#syncing = this.#file.datasync().then(
      () => {
        this.#syncing = undefined;
      },
      (error: unknown) => {
        this.#syncing = undefined;
        this.#syncError = error instanceof Error ? error : new Error(String(error));
      },
    );
  }
}
