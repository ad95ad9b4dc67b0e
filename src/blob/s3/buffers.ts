const sparesKept = 8;

/** Buffers of whole pieces that serve again; fresh ones would wait for the garbage collector by the hundred. */
export class PieceBuffers {
  readonly #spares: Buffer[] = [];

  take(bytes: number): Buffer {
    const found = this.#spares.findIndex((spare) => spare.length === bytes);
    return this.#spares.splice(found, found < 0 ? 0 : 1)[0] ?? Buffer.allocUnsafeSlow(bytes);
  }

  /** Only what no request can send any more. */
  giveBack(buffer: Buffer): void {
    if (this.#spares.length < sparesKept) this.#spares.push(buffer);
  }
}
