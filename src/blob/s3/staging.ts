import { Readable } from 'node:stream';
import { fail } from '../../domain/failure.ts';
import type { StagedUpload } from '../ports.ts';
import { forEachBounded } from './bounded.ts';
import type { Bucket } from './bucket.ts';
import { toStorageFailure } from './errors.ts';
import { assemble, bytesOf, type PartSource } from './multipart.ts';
import { findPieces, maxUploadBytes, newPieceKey, wholeBytesAt, type FoundPieces, type Piece } from './pieces.ts';
import { PieceWriter, type Shared, type Tail } from './writer.ts';

const deletesAtOnce = 8;

/** Which upload it is, what is there of it, and how it ends. */
export interface StagingPlace {
  readonly id: string;
  /** What the keys of its pieces begin with; ends with a slash. */
  readonly folder: string;
  /** Runs `place`, which makes an object at the place that it is given; throws for a key that none can have. */
  readonly commitTo: (key: string, place: (at: string) => Promise<void>) => Promise<void>;
}

function removeAll(bucket: Bucket, keys: readonly string[]): Promise<void> {
  return forEachBounded(keys, deletesAtOnce, (key) => bucket.remove(key));
}

/**
 * A staged upload as pieces, each an object of its own, which any process can read and take up. The bytes behind the
 * last whole piece are in memory until {@link release}. A commit has the store copy the pieces together at their place,
 * so that a finished object is one object, and reading it is one request.
 */
export class S3Upload implements StagedUpload {
  readonly id: string;
  readonly #shared: Shared;
  readonly #place: StagingPlace;
  #pieces: Piece[];
  /** The short last piece: in the bucket, in memory, or both. */
  #kept: Piece | undefined;
  #tail: Tail | undefined;
  /** Objects that are no part of the upload, and would be taken for one once the gap before them is filled. */
  #strays: readonly string[];
  /** All that it has in the bucket. */
  readonly #keys: string[];
  #isOver = false;

  constructor(shared: Shared, place: StagingPlace, found: FoundPieces) {
    this.id = place.id;
    this.#shared = shared;
    this.#place = place;
    this.#pieces = found.pieces;
    this.#kept = found.tail;
    this.#strays = found.strays;
    this.#keys = [...found.keys];
  }

  get offset(): number {
    const last = this.#kept ?? this.#pieces.at(-1);
    if (this.#tail !== undefined) return this.#tail.offset + this.#tail.length;
    return last === undefined ? 0 : last.offset + last.size;
  }

  async append(source: AsyncIterable<Uint8Array>, observe?: (chunk: Uint8Array) => void): Promise<number> {
    await this.#removeStrays();
    await this.#loadTail();
    const begun = { pieces: this.#pieces, tail: this.#tail };
    const writer = new PieceWriter(this.#shared, (offset) => this.#newKey(offset), begun);
    let taken = this.offset;
    try {
      for await (const chunk of source) {
        observe?.(chunk);
        taken += chunk.length;
        if (taken > maxUploadBytes) throw fail('too-large', 'the object store takes no object of this size');
        await writer.add(chunk);
      }
    } finally {
      await this.#settle(writer);
    }
    return this.offset;
  }

  read(): Readable {
    return Readable.from(this.#chunks(), { objectMode: false });
  }

  /** There is nothing to do ahead: whole pieces are stored already, and the place they are copied to is not known. */
  async sync(): Promise<void> {
    await Promise.resolve();
  }

  async commit(key: string): Promise<void> {
    await this.#place.commitTo(key, (at) => this.#makeObject(at));
    this.#isOver = true;
    this.#dropTail();
    // The object is there: what cannot be removed now goes when unfinished uploads are swept.
    await removeAll(this.#shared.bucket, this.#keys).catch(() => undefined);
  }

  async discard(): Promise<void> {
    if (this.#isOver) return;
    this.#dropTail();
    // What is there, not what is known: a piece that was given up may have come late.
    const { keys } = await findPieces(this.#shared.bucket, this.#place.folder);
    await removeAll(this.#shared.bucket, keys);
  }

  /** Stores what is in memory, so that another process can go on; rejects when that fails, and keeps it. */
  async release(): Promise<void> {
    const tail = this.#tail;
    if (tail === undefined || this.#isOver) return;
    const former = this.#kept;
    if (former?.offset !== tail.offset || former.size !== tail.length) {
      const key = this.#newKey(tail.offset);
      await this.#shared.bucket.put(key, tail.buffer.subarray(0, tail.length));
      this.#kept = { key, offset: tail.offset, size: tail.length };
    }
    if (tail.length === tail.buffer.length) this.#keepWhole();
    this.#dropTail();
  }

  #newKey(offset: number): string {
    const key = newPieceKey(this.#place.folder, offset);
    this.#keys.push(key);
    return key;
  }

  #keepWhole(): void {
    if (this.#kept !== undefined) this.#pieces.push(this.#kept);
    this.#kept = undefined;
  }

  #dropTail(): void {
    if (this.#tail !== undefined) this.#shared.buffers.giveBack(this.#tail.buffer);
    this.#tail = undefined;
  }

  async #removeStrays(): Promise<void> {
    await removeAll(this.#shared.bucket, this.#strays);
    this.#strays = [];
  }

  /** Brings the short last piece back into memory, to be filled up. */
  async #loadTail(): Promise<void> {
    const kept = this.#kept;
    if (kept === undefined || this.#tail !== undefined) return;
    const bytes = await bytesOf(this.#shared.bucket, kept.key);
    const buffer = this.#shared.buffers.take(wholeBytesAt(kept.offset));
    buffer.set(bytes);
    this.#tail = { offset: kept.offset, buffer, length: bytes.length };
  }

  async #settle(writer: PieceWriter): Promise<void> {
    const { tail, error } = await writer.end();
    this.#pieces = writer.pieces;
    this.#tail = tail;
    // A whole piece may now stand for the short one.
    if (tail?.offset !== this.#kept?.offset) this.#kept = undefined;
    if (error !== undefined) throw toStorageFailure(error);
  }

  /** All parts, in order; the last one from memory where it is there. */
  #parts(): PartSource[] {
    const tail = this.#tail;
    const last = tail === undefined ? this.#kept : { bytes: tail.buffer.subarray(0, tail.length) };
    return [...this.#pieces, ...(last === undefined || tail?.length === 0 ? [] : [last])];
  }

  async #makeObject(at: string): Promise<void> {
    const { bucket } = this.#shared;
    const [first, second] = this.#parts();
    if (second !== undefined) await assemble(bucket, at, this.#parts());
    else if (first === undefined) await bucket.put(at, Buffer.alloc(0));
    else if ('bytes' in first) await bucket.put(at, first.bytes);
    else await bucket.copy(first.key, at);
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (const part of this.#parts()) {
      if ('bytes' in part) {
        yield Buffer.from(part.bytes);
        continue;
      }
      const opened = await this.#shared.bucket.open(part.key);
      if (opened === undefined || opened === 'beyond')
        throw fail('storage-unavailable', 'bytes of an upload have vanished');
      try {
        yield* opened.body as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw toStorageFailure(error);
      }
    }
  }
}
