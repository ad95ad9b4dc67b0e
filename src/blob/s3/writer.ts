import type { Gate } from './bounded.ts';
import type { Bucket } from './bucket.ts';
import type { PieceBuffers } from './buffers.ts';
import { wholeBytesAt, type Piece } from './pieces.ts';

/** What the uploads of a store share. */
export interface Shared {
  readonly bucket: Bucket;
  readonly buffers: PieceBuffers;
  /** Through which the pieces of all uploads go. */
  readonly gate: Gate;
}

/** Bytes that are no whole piece yet. */
export interface Tail {
  readonly offset: number;
  readonly buffer: Buffer;
  length: number;
}

interface Flight {
  readonly tail: Tail;
  readonly piece: Piece;
  readonly end: Promise<{ readonly error?: unknown; readonly isSent: boolean }>;
}

/** Pieces of one upload that may be on their way while the next is gathered, and how many of all uploads together. */
const flightsOfOne = 2;
const flightsOfAll = 2;

/**
 * Cuts a stream into pieces and sends them while the next one is gathered. One upload alone has three pieces in memory;
 * many at once have one each, and two or three more.
 */
export class PieceWriter {
  /** Pieces that are stored, from the upload's beginning on. */
  readonly pieces: Piece[];
  readonly #shared: Shared;
  readonly #newKey: (offset: number) => string;
  readonly #flights: Flight[] = [];
  #tail: Tail | undefined;
  #next: number;

  /** @param newKey a key for the piece that begins at an offset, never the same. */
  constructor(
    shared: Shared,
    newKey: (offset: number) => string,
    begun: { readonly pieces: Piece[]; readonly tail: Tail | undefined },
  ) {
    this.#shared = shared;
    this.#newKey = newKey;
    this.pieces = begun.pieces;
    this.#tail = begun.tail;
    const last = begun.pieces.at(-1);
    this.#next = begun.tail?.offset ?? (last === undefined ? 0 : last.offset + last.size);
  }

  /** Takes a chunk, whose memory is free again when this resolves; throws the error of a piece that could not be sent. */
  async add(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0;) {
      const tail = this.#gathering();
      if (tail.length === tail.buffer.length) {
        await this.#launch(tail);
        continue;
      }
      const part = rest.subarray(0, tail.buffer.length - tail.length);
      tail.buffer.set(part, tail.length);
      tail.length += part.length;
      rest = rest.subarray(part.length);
    }
  }

  /**
   * Waits for all that is under way. A piece that could not be sent becomes the tail, so that nothing is lost that was
   * taken before; what came behind it is dropped.
   */
  async end(): Promise<{ readonly tail: Tail | undefined; readonly error?: unknown }> {
    const flights = this.#flights.splice(0);
    for (const [index, flight] of flights.entries()) {
      const { isSent, error } = await flight.end;
      if (isSent) this.#land(flight);
      else return { tail: await this.#giveUp(flight, flights.slice(index + 1)), error };
    }
    return { tail: this.#tail };
  }

  #gathering(): Tail {
    const offset = this.#next;
    this.#tail ??= { offset, buffer: this.#shared.buffers.take(wholeBytesAt(offset)), length: 0 };
    return this.#tail;
  }

  async #launch(tail: Tail): Promise<void> {
    const { bucket, gate } = this.#shared;
    const key = this.#newKey(tail.offset);
    const sending = gate.run(() => bucket.put(key, tail.buffer));
    const end = sending.then(
      () => ({ isSent: true }),
      (error: unknown) => ({ isSent: false, error }),
    );
    this.#flights.push({ tail, piece: { key, offset: tail.offset, size: tail.length }, end });
    this.#next = tail.offset + tail.length;
    this.#tail = undefined;
    while (this.#flights.length > (gate.busy > flightsOfAll ? 0 : flightsOfOne)) await this.#landOldest();
  }

  async #landOldest(): Promise<void> {
    const oldest = this.#flights[0];
    if (oldest === undefined) return;
    const { isSent, error } = await oldest.end;
    if (!isSent) throw error;
    this.#flights.shift();
    this.#land(oldest);
  }

  #land({ piece, tail }: Flight): void {
    this.pieces.push(piece);
    this.#shared.buffers.giveBack(tail.buffer);
  }

  async #giveUp(failed: Flight, later: readonly Flight[]): Promise<Tail> {
    for (const { end, piece, tail } of later) {
      const { isSent } = await end;
      if (!isSent) continue;
      this.#shared.buffers.giveBack(tail.buffer);
      await this.#shared.bucket.remove(piece.key).catch(() => undefined);
    }
    return failed.tail;
  }
}
