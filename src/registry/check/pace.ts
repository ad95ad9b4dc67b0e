import { setTimeout as sleep } from 'node:timers/promises';

/** Less than this ahead is not worth a pause. */
const leastPauseMs = 20;

/** Keeps reading at a rate, so that pushes and pulls do not wait for the disk. */
export class Pace {
  /** Bytes that were read in all. */
  bytes = 0;
  readonly #bytesPerSecond: number | undefined;
  /** When as many bytes may have been read as were. */
  #due = performance.now();

  constructor(bytesPerSecond: number | undefined) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Waits until that many bytes more may be read. */
  async take(bytes: number): Promise<void> {
    this.bytes += bytes;
    if (this.#bytesPerSecond === undefined) return;
    const now = performance.now();
    this.#due = Math.max(this.#due, now) + (bytes / this.#bytesPerSecond) * 1000;
    if (this.#due - now > leastPauseMs) await sleep(this.#due - now);
  }
}
