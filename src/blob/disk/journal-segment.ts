import { randomBytes } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { systemCode } from './errors.ts';
import { encodeRecord, makeSegmentHeader, recordHeaderBytes, segmentHeaderBytes } from './journal-record.ts';

/** Opens a file as `open` of node:fs does; tests hand in files that fail. */
export type OpenFile = (path: string, flags: string) => Promise<FileHandle>;

export const openFile: OpenFile = (path, flags) => open(path, flags, 0o600);

/** How segments are written. */
export interface SegmentOptions {
  readonly openFile: OpenFile;
  /**
   * Room is made in steps of this many bytes, for a sync of bytes that overwrite zeros does not have to write the file's
   * size too. A quarter of it is made ahead of need: what a full disk leaves for the changes that free some of it.
   */
  readonly stepBytes: number;
}

/** True when there is no room, and there may be some later. */
export function isFull(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Where a segment goes on. */
interface SegmentEnd {
  /** What its checksums start from. */
  readonly seed: number;
  readonly position: number;
  readonly allocated: number;
}

/** The segment that is written to. One call at a time. */
export class SegmentWriter {
  /** Where the next record goes: the end of what is durable. */
  position: number;
  readonly #file: FileHandle;
  readonly #seed: number;
  readonly #stepBytes: number;
  #allocated: number;
  #lost: unknown;

  /**
   * @param file the open file; it is closed by `close`.
   * @param end `position`: the end of the records; `allocated`: the size of the file, zeros from `position` on.
   */
  constructor(file: FileHandle, end: SegmentEnd, stepBytes: number) {
    this.#file = file;
    this.#seed = end.seed;
    this.#stepBytes = stepBytes;
    this.position = end.position;
    this.#allocated = end.allocated;
  }

  /** Makes a segment in a new file, with room, synced; its name in the directory is not. */
  static async make(path: string, { openFile, stepBytes }: SegmentOptions): Promise<SegmentWriter> {
    const file = await openFile(path, 'w+');
    try {
      const { bytes, seed } = makeSegmentHeader(randomBytes(8));
      await writeAll(file, bytes, 0);
      const end = { seed, position: segmentHeaderBytes, allocated: segmentHeaderBytes };
      const writer = new SegmentWriter(file, end, stepBytes);
      await writer.#extend(stepBytes);
      return writer;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Why nothing can be appended any more, if so: what is on the disk cannot be told. */
  get lost(): unknown {
    return this.#lost;
  }

  /** True when a record with this many bytes fits without more room. */
  fits(bytes: number): boolean {
    return this.position + recordHeaderBytes + bytes <= this.#allocated;
  }

  /** Writes an entry durably, or leaves nothing of it and throws. */
  async append(sequence: number, bytes: Uint8Array): Promise<void> {
    const record = encodeRecord(sequence, bytes, this.#seed);
    await this.#makeRoom(record.length);
    try {
      await writeAll(this.#file, record, this.position);
    } catch (error) {
      await this.#undo(record.length);
      throw error;
    }
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#lost = error; // the kernel reports it once, and forgets which bytes it was about
      throw error;
    }
    this.position += record.length;
  }

  /** Gives back the room that is left, when asked to, and closes the file. */
  async close(options: { readonly trims: boolean }): Promise<void> {
    try {
      if (options.trims && this.#lost === undefined) await this.#file.truncate(this.position);
    } finally {
      await this.#file.close();
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    const missing = this.position + bytes + this.#stepBytes / 4 - this.#allocated;
    if (missing <= 0) return;
    try {
      await this.#extend(Math.ceil(missing / this.#stepBytes) * this.#stepBytes);
    } catch (error) {
      if (!isFull(error) || this.position + bytes > this.#allocated) throw error;
    }
  }

  async #extend(bytes: number): Promise<void> {
    const zeros = Buffer.alloc(Math.min(bytes, this.#stepBytes));
    try {
      for (let done = 0; done < bytes; done += zeros.length) {
        await writeAll(this.#file, zeros, this.#allocated + done);
      }
      await this.#file.datasync();
      this.#allocated += bytes;
    } catch (error) {
      await this.#file.truncate(this.#allocated).catch(() => undefined); // more zeros than known do no harm
      throw error;
    }
  }

  /** Overwrites what a write that failed may have left; when that fails too, nobody can tell what is there. */
  async #undo(bytes: number): Promise<void> {
    try {
      await writeAll(this.#file, Buffer.alloc(bytes), this.position);
    } catch {
      await this.#file.truncate(this.position).then(
        () => {
          this.#allocated = this.position;
        },
        (error: unknown) => {
          this.#lost = error;
        },
      );
    }
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
