import type { FileHandle } from 'node:fs/promises';
import type { JournalEntry } from '../journal-ports.ts';
import { checksumOf, readRecordHeader, recordHeaderBytes, segmentHeaderBytes } from './journal-record.ts';

const pieceBytes = 1024 * 1024;

/** A file seen through a window that moves forward, in pieces of 1 MiB or of one record, whichever is more. */
class FileWindow {
  readonly #file: FileHandle;
  readonly #limit: number;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(file: FileHandle, limit: number) {
    this.#file = file;
    this.#limit = limit;
  }

  /** The bytes from `offset` on, at least `count` of them unless the file, or what may be read of it, ends before. */
  async at(offset: number, count: number): Promise<Buffer> {
    const skip = offset - this.#start;
    if (skip >= 0 && skip + count <= this.#bytes.length) return this.#bytes.subarray(skip);
    const wanted = Math.min(Math.max(count, pieceBytes), this.#limit - offset);
    this.#bytes = await readWhole(this.#file, offset, Math.max(0, wanted));
    this.#start = offset;
    return this.#bytes;
  }
}

/** Reads `count` bytes, fewer only where the file ends. */
export async function readWhole(file: FileHandle, offset: number, count: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(count);
  let done = 0;
  while (done < count) {
    const { bytesRead } = await file.read(bytes, done, count - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** The records of one segment, one after the other. */
export class RecordReader {
  /** Where the next record begins, or where the records end once `next` gave undefined. */
  offset = segmentHeaderBytes;
  readonly #window: FileWindow;
  readonly #seed: number;
  #sequence: number;

  /**
   * @param limit where to stop at the latest, in bytes from the start of the file.
   * @param first the number of the first record, which the name of the segment says.
   */
  constructor(file: FileHandle, limit: number, segment: { readonly seed: number; readonly first: number }) {
    this.#window = new FileWindow(file, limit);
    this.#seed = segment.seed;
    this.#sequence = segment.first;
  }

  /** The number that the next record has to have. */
  get expected(): number {
    return this.#sequence;
  }

  /** The next entry, in memory of its own; undefined where no good record with the right number begins. */
  async next(): Promise<JournalEntry | undefined> {
    const start = await this.#window.at(this.offset, recordHeaderBytes);
    if (start.length < recordHeaderBytes) return undefined;
    const header = readRecordHeader(start, 0);
    if (header?.sequence !== this.#sequence) return undefined;
    const size = recordHeaderBytes + header.length;
    const record = await this.#window.at(this.offset, size);
    if (record.length < size || checksumOf(record, 0, header.length, this.#seed) !== header.checksum) return undefined;
    this.offset += size;
    this.#sequence += 1;
    return { sequence: header.sequence, bytes: Buffer.from(record.subarray(recordHeaderBytes, size)) };
  }

  /** After `next` gave undefined: how the bytes go on from there. */
  async rest(): Promise<Rest> {
    let isBlank = true;
    for (let offset = this.offset; ; offset += pieceBytes) {
      const piece = await this.#window.at(offset, pieceBytes + recordHeaderBytes);
      if (piece.length === 0) return isBlank ? 'blank' : 'torn';
      if (isZero(piece)) continue;
      isBlank = false;
      if (await this.#holdsRecord(piece, offset)) return 'records';
    }
  }

  /** True when a good record, with a number that may come later, begins in the first MiB of the piece. */
  async #holdsRecord(piece: Buffer, offset: number): Promise<boolean> {
    const last = Math.min(pieceBytes - 1, piece.length - recordHeaderBytes);
    for (let at = 0; at <= last; at += 1) {
      const header = readRecordHeader(piece, at);
      if (header === undefined || header.sequence <= this.#sequence) continue;
      if (header.sequence > this.#sequence + mostSkipped) continue;
      const record = await this.#window.at(offset + at, recordHeaderBytes + header.length);
      if (record.length < recordHeaderBytes + header.length) continue;
      if (checksumOf(record, 0, header.length, this.#seed) === header.checksum) return true;
    }
    return false;
  }
}

/** Nothing but zeros; something that is no record; or good records again, so that what precedes them was damaged. */
export type Rest = 'blank' | 'torn' | 'records';

/** A segment never holds as many records as this. */
const mostSkipped = 2 ** 24;

const zeros = Buffer.alloc(pieceBytes);

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length);
    if (!part.equals(zeros.subarray(0, part.length))) return false;
  }
  return true;
}
