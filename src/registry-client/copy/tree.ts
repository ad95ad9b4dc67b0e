import { isDigest, type Digest } from '../../domain/digest.ts';
import { fail } from '../../domain/failure.ts';
import { hasDigest, type Descriptor, type RegistryDocument } from '../documents.ts';
import { misbehaves } from '../refusal.ts';
import { forEachAtMost, waitForAll } from './at-most.ts';
import { createBlobCopier } from './blobs.ts';
import { readParts } from './parts.ts';
import type { CopyEnd, CopyLimits, CopyOptions } from './ports.ts';
import { Tally } from './tally.ts';

const usualLimits: CopyLimits = {
  manifestBytes: 4 * 1024 * 1024,
  depth: 4,
  manifests: 1000,
  bytes: Infinity,
  atOnce: 4,
};

/** One copy, from one end to another. */
export class Copy {
  readonly from: CopyEnd;
  readonly to: CopyEnd;
  readonly limits: CopyLimits;
  readonly signal: AbortSignal;
  readonly tally: Tally;
  /** What is there by now, in the order in which it was written. */
  readonly written = new Set<Digest>();
  readonly #copyBlob: (blob: Descriptor) => Promise<void>;
  readonly #stop: (error: unknown) => void;
  #read = 0;

  /** `stop` ends what is under way: it is aborted with the first failure. */
  constructor(from: CopyEnd, to: CopyEnd, options: CopyOptions & { readonly stop: AbortController }) {
    const { signal, stop } = options;
    this.from = from;
    this.to = to;
    this.limits = { ...usualLimits, ...options.limits };
    this.signal = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    this.#stop = (error) => stop.abort(error);
    this.tally = new Tally(options.onProgress);
    this.#copyBlob = createBlobCopier(this);
  }

  /** Reads a manifest of the source; undefined when there is none. */
  async read(reference: string, size?: number): Promise<RegistryDocument | undefined> {
    this.signal.throwIfAborted();
    const found = await this.from.readManifest(reference);
    if (found === undefined) return undefined;
    this.#checkLimits(reference, found);
    const { bytes, digest } = found;
    const isWrong = !hasDigest(bytes, digest) || (isDigest(reference) && digest !== reference);
    if (isWrong || bytes.length !== (size ?? bytes.length))
      throw misbehaves(this.from.name, `sends another manifest for ${reference} than it was asked for`);
    return found;
  }

  #checkLimits(reference: string, { bytes }: RegistryDocument): void {
    const { manifests, manifestBytes } = this.limits;
    const name = this.nameOf(reference);
    this.#read += 1;
    if (this.#read > manifests)
      throw fail('too-large', `${name}: more than the ${String(manifests)} manifests allowed belong to it`);
    if (bytes.length > manifestBytes)
      throw fail('too-large', `the manifest of ${name} is larger than the ${String(manifestBytes)} bytes allowed`);
  }

  nameOf(reference: string): string {
    return `${this.from.name}${isDigest(reference) ? '@' : ':'}${reference}`;
  }

  /** Copies what a manifest names, and then itself under its digest. */
  async copyTree(document: RegistryDocument, depth = 1): Promise<void> {
    await this.copyParts(document, depth);
    await this.write(document.digest, document);
  }

  /** Copies what a manifest names: blobs, and other manifests with what they name. */
  async copyParts(document: RegistryDocument, depth = 1): Promise<void> {
    const parts = readParts(document, this.nameOf(document.digest));
    if (parts.kind === 'image') {
      await waitForAll(
        parts.blobs.map((blob) => this.#copyBlob(blob)),
        this.#stop,
      );
      return;
    }
    if (depth >= this.limits.depth)
      throw fail(
        'too-large',
        `the indexes of ${this.nameOf(document.digest)} lie more than ${String(this.limits.depth)} deep in each other`,
      );
    const work = async (child: Descriptor): Promise<void> => {
      if (!this.written.has(child.digest)) await this.copyTree(await this.#readChild(child), depth + 1);
    };
    // What lies deeper is taken one by one: a manifest may have 4 MiB, and all that are under way are in memory.
    const atOnce = depth === 1 ? this.limits.atOnce : 1;
    await forEachAtMost(atOnce, parts.children, { work, onFailure: this.#stop });
  }

  async #readChild({ digest, size }: Descriptor): Promise<RegistryDocument> {
    const found = await this.read(digest, size);
    if (found === undefined) throw fail('not-found', `${this.nameOf(digest)} is named by an image and is not there`);
    return found;
  }

  /** Writes a manifest, under its digest only where it is not there. */
  async write(reference: string, document: RegistryDocument): Promise<void> {
    this.signal.throwIfAborted();
    const isThere = reference === document.digest && (await this.to.hasManifest(document.digest));
    if (!isThere) {
      await this.to.writeManifest(reference, document);
      this.tally.wrote();
    }
    this.written.add(document.digest);
  }
}
