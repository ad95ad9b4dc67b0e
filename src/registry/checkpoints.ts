import type { Journal } from '../blob/journal-ports.ts';
import type { BlobStore } from '../blob/ports.ts';
import type { Ledger } from './ledger.ts';
import type { ManifestBytes } from './manifest-bytes.ts';
import type { RegistryLogger } from './options.ts';
import { listSnapshots, writeSnapshot } from './snapshots.ts';

interface CheckpointOptions {
  readonly storage: BlobStore;
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly manifestBytes: ManifestBytes;
  readonly logger: RegistryLogger;
  readonly newId: () => string;
  /** The entry that the newest snapshot includes. */
  readonly since: number;
  /** Entries after which a snapshot is worth while. */
  readonly entries: number;
}

/** Writes snapshots as the journal grows, and lets go of what it need not keep. */
export class Checkpoints {
  readonly #options: CheckpointOptions;
  #since: number;
  #running: Promise<void> | undefined;
  /** Processes that share a journal do not all begin at the same entry. */
  readonly #patience: number;

  constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#since = options.since;
    this.#patience = options.ledger.isShared ? 1 + Math.random() / 2 : 1;
    options.ledger.listen(() => {
      if (this.#isDue()) this.#start();
    });
  }

  /** The entry that the newest snapshot includes, or the one that is being written: the journal has all that follow. */
  get since(): number {
    return this.#since;
  }

  /** Writes one now, after the one that is being written. */
  async write(): Promise<void> {
    await this.#running;
    this.#start();
    await this.#running;
  }

  async close(): Promise<void> {
    await this.#running;
  }

  /** Larger registries take longer to write down, and are given more entries. */
  #isDue(): boolean {
    const { ledger, entries } = this.#options;
    const wanted = Math.max(entries, ledger.index.size / 16) * this.#patience;
    return this.#running === undefined && ledger.sequence - this.#since >= wanted;
  }

  #start(): void {
    this.#running = this.#write()
      .catch((error: unknown) => {
        this.#options.logger.warn(
          { err: error },
          'a snapshot of the registry could not be written; it will be tried again',
        );
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #write(): Promise<void> {
    const { storage, journal, ledger, manifestBytes, newId } = this.#options;
    const { sequence } = ledger;
    const before = this.#since;
    this.#since = sequence; // also when it fails: not at once again
    await manifestBytes.placeAll();
    await storage.flush();
    const others = ledger.isShared ? ((await listSnapshots(storage)).at(-1) ?? 0) : 0;
    if (others > before) {
      this.#since = others; // another process has written one
      return;
    }
    await writeSnapshot(storage, ledger.index.changes(), sequence, newId());
    await journal.trim(sequence);
  }
}
