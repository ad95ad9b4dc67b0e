import { createHash, type Hash } from 'node:crypto';
import type { StagedUpload } from '../blob/ports.ts';
import type { Digest, DigestAlgorithm } from '../domain/digest.ts';
import { oci } from './errors.ts';
import type { SessionDocument } from './records.ts';

/** An upload under way. Only the request that holds it (see {@link Sessions.hold}) may use it. */
export class Session {
  readonly document: SessionDocument;
  /** When it was last used, milliseconds since the epoch. */
  touched: number;
  isHeld = false;
  /** True once the document is in the store. */
  isKept: boolean;
  #upload: StagedUpload | undefined;
  readonly #begin: () => Promise<StagedUpload>;
  #hash: Hash;
  #hashed = 0;
  #isCommitted = false;

  /** @param begin makes room for its bytes, when the first come. */
  constructor(
    document: SessionDocument,
    begin: () => Promise<StagedUpload>,
    kept: { touched: number; isKept: boolean },
  ) {
    this.document = document;
    this.#begin = begin;
    this.touched = kept.touched;
    this.isKept = kept.isKept;
    this.#hash = createHash(document.algorithm);
  }

  /** Bytes that have arrived. */
  get offset(): number {
    return this.#upload?.offset ?? 0;
  }

  /** The bytes that have arrived. */
  async upload(): Promise<StagedUpload> {
    if (this.#isCommitted) throw oci('BLOB_UPLOAD_UNKNOWN', 'this upload is over; begin again');
    this.#upload ??= await this.#begin();
    return this.#upload;
  }

  /** Goes on with bytes that lie in the store; another process may have added some. */
  resume(upload: StagedUpload): void {
    this.#upload = upload;
  }

  /** The same, unless a request has begun to write to it meanwhile. */
  resumeUnlessHeld(upload: StagedUpload): void {
    if (!this.isHeld) this.resume(upload);
  }

  /** Makes the bytes the object `key`; false, with nothing done, when an earlier request did that whose end failed. */
  async commit(key: string): Promise<boolean> {
    if (this.#isCommitted) return false;
    await (await this.upload()).commit(key);
    this.#isCommitted = true;
    return true;
  }

  async release(): Promise<void> {
    await this.#upload?.release();
  }

  async discard(): Promise<void> {
    await this.#upload?.discard();
  }

  /** Stores and hashes what comes; throws SIZE_INVALID beyond `maxBytes`. What came before a failure is kept. */
  async append(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<void> {
    const upload = await this.upload();
    await this.#catchUp();
    await upload.append(source, (chunk) => {
      if (this.#hashed + chunk.length > maxBytes) {
        throw oci('SIZE_INVALID', `a blob may have at most ${String(maxBytes)} bytes`, { status: 413 });
      }
      this.#hash.update(chunk);
      this.#hashed += chunk.length;
    });
  }

  /** The digest of all bytes. */
  async digest(algorithm: DigestAlgorithm): Promise<string> {
    if (algorithm !== this.document.algorithm)
      return `${algorithm}:${(await this.#hashStaged(algorithm)).digest('hex')}`;
    await this.#catchUp();
    return `${algorithm}:${this.#hash.copy().digest('hex')}`;
  }

  /** After a restart, or a write that failed half-way, the running hash is not that of the staged bytes: hash them again. */
  async #catchUp(): Promise<void> {
    if (this.#hashed === this.offset) return;
    this.#hash = await this.#hashStaged(this.document.algorithm);
    this.#hashed = this.offset;
  }

  async #hashStaged(algorithm: DigestAlgorithm): Promise<Hash> {
    const hash = createHash(algorithm);
    for await (const chunk of (await this.upload()).read()) hash.update(chunk as Buffer);
    return hash;
  }
}

/** Compares what arrived with what was promised; throws DIGEST_INVALID. */
export function demandDigest(actual: string, promised: Digest): void {
  if (actual === promised) return;
  throw oci('DIGEST_INVALID', 'the bytes that arrived have another digest', {
    detail: { expected: promised, actual },
  });
}
