import type { FileHandle } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import type { BlobReading } from '../ports.ts';
import { toStorageFailure } from './errors.ts';

const bufferBytes = 1024 * 1024;
const sparesKept = 16;
/** One is sent while the next waits at the socket, so that it never stands still. */
const writesAtOnce = 2;

/** Read buffers that serve again, shared by the readings of a store; a fresh megabyte costs more than filling it. */
export class BufferPool {
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
  }

  giveBack(buffer: Buffer): void {
    if (this.#spare.length < sparesKept) this.#spare.push(buffer);
  }
}

/** An open file of the store, from which a span of bytes is read. */
export class DiskReading implements BlobReading {
  readonly size: number;
  readonly #file: FileHandle;
  readonly #start: number;
  readonly #end: number;
  readonly #pool: BufferPool;

  constructor(file: FileHandle, size: number, span: { start: number; end: number }, pool: BufferPool) {
    this.size = size;
    this.#file = file;
    this.#start = span.start;
    this.#end = span.end;
    this.#pool = pool;
  }

  get stream(): Readable {
    if (this.size > 0) {
      return this.#file.createReadStream({ start: this.#start, end: this.#end, highWaterMark: bufferBytes });
    }
    void this.close();
    return Readable.from([]);
  }

  /** Reads into buffers that are used again, one being filled while the other is sent: half the cost of a read stream. */
  async sendTo(target: Writable): Promise<void> {
    const writing: Promise<void>[] = [];
    try {
      let reading = this.#readAt(this.#start);
      for (let at = this.#start; at <= this.#end;) {
        const { buffer, length } = await reading;
        at += length;
        if (at <= this.#end) {
          reading = this.#readAt(at);
          reading.catch(() => undefined); // awaited in the next turn, unless a write fails first
        }
        // A buffer whose write failed might still be in use: it is not given back.
        const written = writeTo(target, buffer.subarray(0, length)).then(() => this.#pool.giveBack(buffer));
        written.catch(() => undefined); // awaited below
        if (writing.push(written) === writesAtOnce) await writing.shift();
      }
      await Promise.all(writing);
      await endOf(target);
    } catch (error) {
      target.destroy();
      throw error;
    } finally {
      await this.close();
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #readAt(position: number): Promise<{ buffer: Buffer; length: number }> {
    const buffer = this.#pool.take();
    const wanted = Math.min(bufferBytes, this.#end + 1 - position);
    const { bytesRead } = await this.#file.read(buffer, 0, wanted, position).catch((error: unknown) => {
      throw toStorageFailure(error);
    });
    if (bytesRead === 0) throw new Error('a stored file has become shorter than it was');
    return { buffer, length: bytesRead };
  }
}

/** Resolves when the bytes have left the buffer, which can then be used again. */
function writeTo(target: Writable, bytes: Buffer): Promise<void> {
  return settleUnlessClosed(target, (done) => target.write(bytes, done));
}

function endOf(target: Writable): Promise<void> {
  return settleUnlessClosed(target, (done) => target.end(done));
}

/** Waits for an operation on a stream; rejects when the stream is closed before it is done. */
function settleUnlessClosed(
  target: Writable,
  operation: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('the receiver closed before all was sent'));
    if (target.destroyed) {
      onClose();
      return;
    }
    target.once('close', onClose);
    operation((error) => {
      target.removeListener('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}
