import { createHash } from 'node:crypto';
import { splitDigest, type Digest } from '../../domain/digest.ts';
import { decodeChanges } from '../changes.ts';
import { contentKey } from '../layout.ts';
import type { CheckRun } from './rooms.ts';

/** The bytes of manifests: as they are stored, and where else they may be had when they are lost there. */
export class ManifestSource {
  readonly #run: CheckRun;
  #journaled: Promise<Map<Digest, Buffer>> | undefined;

  constructor(run: CheckRun) {
    this.#run = run;
  }

  /** The stored bytes, whatever they are; undefined when there are none. */
  async stored(digest: Digest): Promise<Buffer | undefined> {
    const { storage, limits, manifestBytes } = this.#run.state;
    const unplaced = manifestBytes.unplaced(digest);
    if (unplaced !== undefined) return unplaced;
    const key = contentKey(digest);
    const size = (await storage.stat(key))?.size ?? 0;
    // Nothing of that size is a manifest; its beginning is wrong enough.
    if (size > limits.manifestBytes) return Buffer.alloc(0);
    const bytes = await storage.readSmall(key, limits.manifestBytes);
    await this.#run.pace.take(bytes?.length ?? 0);
    return bytes;
  }

  /** Good bytes from memory or from the journal. */
  async elsewhere(digest: Digest): Promise<Buffer | undefined> {
    const cached = this.#run.state.manifestBytes.known(digest);
    if (cached !== undefined && isOf(cached, digest)) return cached;
    this.#journaled ??= this.#readJournal();
    const bytes = (await this.#journaled).get(digest);
    return bytes !== undefined && isOf(bytes, digest) ? bytes : undefined;
  }

  async #readJournal(): Promise<Map<Digest, Buffer>> {
    const found = new Map<Digest, Buffer>();
    const { journal, state } = this.#run;
    try {
      for await (const { bytes } of journal.read(state.checkpoints.since)) {
        for (const change of decodeChanges(bytes)) {
          if (change.is === 'manifest' && change.bytes !== undefined) {
            found.set(change.digest, Buffer.from(change.bytes, 'base64'));
          }
        }
      }
    } catch {
      // What it has before the fault is as good; the fault itself is found by whoever checks the journal.
    }
    return found;
  }
}

/** Whether bytes have a digest. */
export function isOf(bytes: Buffer, digest: Digest): boolean {
  const { algorithm, hex } = splitDigest(digest);
  return createHash(algorithm).update(bytes).digest('hex') === hex;
}
