import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { splitDigest, type Digest } from '../domain/digest.ts';
import type { Caller } from './caller.ts';
import { hasDigest } from './documents.ts';
import { headerOf } from './headers.ts';
import type { Answer } from './ports.ts';
import { asRefusal, mayPass, misbehaves } from './refusal.ts';

/** How a blob is read. */
export interface BlobWish {
  /** Where to begin, bytes; 0 when left out. What begins later cannot be checked by its digest. */
  readonly offset?: number;
  /** Bytes of the whole blob, when they are known: more are refused. */
  readonly size?: number;
  /** False: somebody else sees to it that the bytes are those of the digest. */
  readonly isChecked?: boolean;
}

/** A blob that breaks off is gone on with so often. */
const mostBreaks = 5;

/** Bytes of a blob; undefined when it is not there. */
export async function blobSize(caller: Caller, repository: string, digest: Digest): Promise<number | undefined> {
  const call = { method: 'HEAD', repository, path: `blobs/${digest}` } as const;
  const { status, headers } = await caller.read(call, [200, 404]);
  return status === 404 ? undefined : Number(headerOf(headers, 'content-length') ?? 0);
}

/** Reads a small blob whole, its digest checked. */
export async function smallBlob(caller: Caller, repository: string, digest: Digest): Promise<Buffer> {
  const { bytes } = await caller.read({ method: 'GET', repository, path: `blobs/${digest}` }, [200]);
  if (!hasDigest(bytes, digest)) throw misbehaves(caller.registry, 'sends another blob than it was asked for');
  return bytes;
}

/** One blob that is being read. */
class BlobReading {
  readonly #caller: Caller;
  readonly #path: { readonly repository: string; readonly digest: Digest };
  readonly #wish: BlobWish;
  #at: number;
  #answer: Answer | undefined;

  constructor(caller: Caller, path: { readonly repository: string; readonly digest: Digest }, wish: BlobWish) {
    this.#caller = caller;
    this.#path = path;
    this.#wish = wish;
    this.#at = wish.offset ?? 0;
  }

  async open(): Promise<void> {
    const { repository, digest } = this.#path;
    const range = { range: `bytes=${String(this.#at)}-` };
    const call = {
      method: 'GET',
      repository,
      path: `blobs/${digest}`,
      ...(this.#at > 0 && { headers: range }),
    } as const;
    this.#answer = await this.#caller.expect(call, this.#at > 0 ? [200, 206] : [200]);
  }

  close(): void {
    this.#answer?.body.destroy();
  }

  async *read(): AsyncGenerator<Buffer> {
    const { isChecked = true, offset = 0 } = this.#wish;
    const { digest } = this.#path;
    const hash = isChecked && offset === 0 ? createHash(splitDigest(digest).algorithm) : undefined;
    for await (const chunk of this.#chunks()) {
      hash?.update(chunk);
      yield chunk;
    }
    if (hash !== undefined && hash.digest('hex') !== splitDigest(digest).hex)
      throw misbehaves(this.#caller.registry, `sends other bytes for the blob ${digest} than its digest says`);
  }

  /** The bytes in order, each once, whatever breaks on the way. */
  async *#chunks(): AsyncGenerator<Buffer> {
    for (let breaks = 0; ; breaks += 1) {
      try {
        if (this.#answer === undefined) await this.open();
        yield* this.#rest();
        return;
      } catch (error) {
        this.#answer = undefined;
        if (breaks === mostBreaks || !mayPass(error)) throw asRefusal(error);
        await this.#caller.pause(breaks + 1);
      }
    }
  }

  async *#rest(): AsyncGenerator<Buffer> {
    const answer = this.#answer;
    if (answer === undefined) return;
    // A registry that does not know ranges begins anew.
    let skipped = answer.status === 200 ? this.#at : 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      const fresh = chunk.subarray(Math.min(skipped, chunk.length));
      skipped -= chunk.length - fresh.length;
      if (fresh.length === 0) continue;
      this.#at += fresh.length;
      if (this.#at > (this.#wish.size ?? Infinity))
        throw misbehaves(this.#caller.registry, `sends more bytes for the blob ${this.#path.digest} than it has`);
      yield fresh;
    }
  }
}

/**
 * Opens a blob as a stream that goes on where it broke off. Its bytes are checked as they pass: a stream that ends is right.
 * @throws a RegistryRefusal, when it is opened and later on.
 */
export async function openBlob(
  caller: Caller,
  path: { readonly repository: string; readonly digest: Digest },
  wish: BlobWish = {},
): Promise<Readable> {
  const reading = new BlobReading(caller, path, wish);
  await reading.open();
  const stream = Readable.from(reading.read(), { objectMode: false });
  stream.once('close', () => reading.close());
  return stream;
}
