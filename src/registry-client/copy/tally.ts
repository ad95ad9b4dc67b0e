import type { Digest } from '../../domain/digest.ts';
import type { Descriptor } from '../documents.ts';
import type { CopyProgress } from './ports.ts';

const start: CopyProgress = { blobs: 0, skippedBlobs: 0, knownBlobs: 0, bytes: 0, knownBytes: 0, manifests: 0 };

/** Keeps count of a copy, and tells whoever wants to know. */
export class Tally {
  readonly #onProgress: ((progress: CopyProgress) => void) | undefined;
  readonly #underWay = new Map<Digest, number>();
  #now = start;

  constructor(onProgress: ((progress: CopyProgress) => void) | undefined) {
    this.#onProgress = onProgress;
  }

  now(): CopyProgress {
    return this.#now;
  }

  /** There is a blob to be copied. */
  expect({ size }: Descriptor): void {
    this.#change({ knownBlobs: 1, knownBytes: size });
  }

  /** It was there already. */
  skip({ size }: Descriptor): void {
    this.#change({ skippedBlobs: 1, knownBytes: -size });
  }

  /** A blob is sent, perhaps again. */
  restart(digest: Digest): void {
    this.#change({ bytes: -(this.#underWay.get(digest) ?? 0) });
    this.#underWay.set(digest, 0);
  }

  add(digest: Digest, bytes: number): void {
    this.#underWay.set(digest, (this.#underWay.get(digest) ?? 0) + bytes);
    this.#change({ bytes });
  }

  /** It is there; what was taken over within a registry was not sent. */
  finish({ digest, size }: Descriptor): void {
    const wasSent = this.#underWay.delete(digest);
    this.#change({ blobs: 1, knownBytes: wasSent ? 0 : -size });
  }

  wrote(): void {
    this.#change({ manifests: 1 });
  }

  #change(by: Partial<CopyProgress>): void {
    const next = Object.entries(this.#now).map(([name, count]) => [
      name,
      (count as number) + (by[name as keyof CopyProgress] ?? 0),
    ]);
    this.#now = Object.fromEntries(next) as CopyProgress;
    this.#onProgress?.(this.#now);
  }
}
