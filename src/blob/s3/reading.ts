import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BlobReading } from '../ports.ts';
import type { OpenObject } from './bucket.ts';
import { toStorageFailure } from './errors.ts';

/** An object on its way from the store; its connection is free again when it has been read, or closed. */
export class S3Reading implements BlobReading {
  readonly size: number;
  readonly stream: Readable;
  #broken: Error | undefined;

  constructor({ body, size }: OpenObject) {
    this.size = size;
    this.stream = body;
    body.once('error', (error) => (this.#broken = error));
  }

  async sendTo(target: Writable): Promise<void> {
    try {
      await pipeline(this.stream, target);
    } catch (error) {
      throw error === this.#broken ? toStorageFailure(error) : error;
    }
  }

  async close(): Promise<void> {
    await Promise.resolve(this.stream.destroy());
  }
}
