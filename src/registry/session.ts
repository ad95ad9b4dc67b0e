import { createHash, type Hash } from 'node:crypto';
import type { StagedUpload } from '../blob/ports.ts';
import { splitDigest, type Digest, type DigestAlgorithm } from '../domain/digest.ts';
import { oci } from './errors.ts';
import type { SessionDocument } from './records.ts';

/** An upload under way. Only the request that holds it (see {@link Sessions.hold}) may use it. */
export class Session {
  readonly document: SessionDocument;
  readonly upload: StagedUpload;
  /** When it was last used, milliseconds since the epoch. */
  touched: number;
  isHeld = false;
  /** True once the document is in the store. */
  isKept: boolean;
  #hash: Hash;
  #hashed = 0;

  constructor(document: SessionDocument, upload: StagedUpload, kept: { touched: number; isKept: boolean }) {
    this.document = document;
    this.upload = upload;
    this.touched = kept.touched;
    this.isKept = kept.isKept;
    this.#hash = createHash(document.algorithm);
  }

  /** Stores and hashes what comes; throws SIZE_INVALID beyond `maxBytes`. What came before a failure is kept. */
  async append(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<void> {
    await this.#catchUp();
    await this.upload.append(source, (chunk) => {
      if (this.#hashed + chunk.length > maxBytes) {
        throw oci('SIZE_INVALID', `a blob may have at most ${String(maxBytes)} bytes`, { status: 413 });
      }
      this.#hash.update(chunk);
      this.#hashed += chunk.length;
    });
  }

  /** The digest of all bytes; the session can only be committed or discarded afterwards. */
  async digest(algorithm: DigestAlgorithm): Promise<string> {
    if (algorithm !== this.document.algorithm)
      return `${algorithm}:${(await this.#hashStaged(algorithm)).digest('hex')}`;
    await this.#catchUp();
    return `${algorithm}:${this.#hash.digest('hex')}`;
  }

  /** After a restart, or a write that failed half-way, the running hash is not that of the staged bytes: hash them again. */
  async #catchUp(): Promise<void> {
    if (this.#hashed === this.upload.offset) return;
    this.#hash = await this.#hashStaged(this.document.algorithm);
    this.#hashed = this.upload.offset;
  }

  async #hashStaged(algorithm: DigestAlgorithm): Promise<Hash> {
    const hash = createHash(algorithm);
    for await (const chunk of this.upload.read()) hash.update(chunk as Buffer);
    return hash;
  }
}

/** Compares what was sent with what was promised; throws DIGEST_INVALID. */
export async function verifyDigest(session: Session, promised: Digest): Promise<void> {
  const actual = await session.digest(splitDigest(promised).algorithm);
  if (actual !== promised) {
    throw oci('DIGEST_INVALID', 'the bytes that arrived have another digest', {
      detail: { expected: promised, actual },
    });
  }
}
