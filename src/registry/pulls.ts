import type { Clock } from '../domain/clock.ts';
import type { Digest } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/image-reference.ts';
import type { Change } from './changes.ts';
import type { RegistryIndex } from './contents.ts';
import type { Decision, Ledger } from './ledger.ts';
import type { RegistryLogger } from './options.ts';

/** Pulls that one commit writes down. */
const batchSize = 4096;
/** Where it is written down since when pulls are noted. */
const sinceDocument = { kind: 'pulls', name: 'since' } as const;
/** A commit that goes with any other: what it says holds whatever the others do. */
const touchesNothing = { shared: [] } as const;

interface Pull {
  readonly repository: RepositoryName;
  /** A tag or digest. */
  readonly reference: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a record says of pulls. */
interface Pulled {
  readonly lastPulledTime?: string;
}

/** Since when pulls are noted, milliseconds since the epoch: of earlier ones nothing is known. Undefined: not yet. */
export function pullsNotedSince(index: Pick<RegistryIndex, 'document'>): number | undefined {
  const document = index.document(sinceDocument.kind, sinceDocument.name) as { readonly time: string } | undefined;
  return document && Date.parse(document.time);
}

export interface PullNotesOptions {
  readonly index: RegistryIndex;
  readonly ledger: Pick<Ledger, 'commit'>;
  readonly clock: Clock;
  readonly logger: RegistryLogger;
  /** Between two times that they are written down, milliseconds. */
  readonly everyMs: number;
}

/**
 * When tags and manifests were last pulled. A pull is noted in memory; every few minutes, and at the end, what is new becomes one commit.
 * Of several processes that write down pulls of the same thing, the newest counts.
 */
export class PullNotes {
  readonly #options: PullNotesOptions;
  readonly #notes = new Map<RepositoryName, Map<string, number>>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: PullNotesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.flush().catch((error: unknown) => {
        options.logger.warn({ err: error }, 'pulls could not be written down; it will be tried again');
      });
    }, options.everyMs).unref();
  }

  /** Notes a pull of a manifest, by a tag or its digest. */
  note(repository: RepositoryName, reference: string, digest: Digest): void {
    const notes = this.#notes.get(repository) ?? new Map<string, number>();
    const at = this.#options.clock.now();
    this.#notes.set(repository, notes);
    notes.set(digest, at);
    if (reference !== digest) notes.set(reference, at);
  }

  /** A record with the pulls that are noted and not yet written down. */
  withNoted<T extends Pulled>(repository: RepositoryName, reference: string, record: T): T {
    const at = this.#notes.get(repository)?.get(reference);
    const time = at === undefined ? '' : new Date(at).toISOString();
    return time > (record.lastPulledTime ?? '') ? { ...record, lastPulledTime: time } : record;
  }

  /** When anything in a repository was pulled last, by what is noted and not yet written down. */
  newest(repository: RepositoryName): string | undefined {
    let newest: number | undefined;
    for (const at of this.#notes.get(repository)?.values() ?? []) newest = Math.max(at, newest ?? at);
    return newest === undefined ? undefined : new Date(newest).toISOString();
  }

  /**
   * Writes down what is noted, and at the first time since when that is done.
   * @throws `storage-unavailable`: what was not written stays noted.
   */
  async flush(): Promise<void> {
    const pulls = [...this.#all()];
    // An empty first one, for the time from which on they are noted.
    for (let start = 0; start === 0 || start < pulls.length; start += batchSize) {
      const batch = pulls.slice(start, start + batchSize);
      await this.#options.ledger.commit(() => this.#decide(batch), touchesNothing);
      this.#forget(batch);
    }
  }

  /** Writes down what is noted; pulls that cannot be written now are forgotten. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#notes.size === 0) return;
    await this.flush().catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'the last pulls could not be written down, and are forgotten');
    });
  }

  #decide(batch: readonly Pull[]): Decision<undefined> {
    const { index, clock } = this.#options;
    const changes = batch.flatMap(({ repository, reference, at }): Change[] => {
      const contents = index.repository(repository);
      const known: Pulled | undefined = contents?.manifests.get(reference) ?? contents?.tag(reference);
      const time = new Date(at).toISOString();
      if (known === undefined || (known.lastPulledTime ?? '') >= time) return [];
      return [{ is: 'pulled', repository, reference, at: time }];
    });
    if (pullsNotedSince(index) !== undefined) return { changes, result: undefined };
    const record = { time: new Date(clock.now()).toISOString() };
    return { changes: [{ is: 'document', ...sinceDocument, record }, ...changes], result: undefined };
  }

  *#all(): Generator<Pull> {
    for (const [repository, notes] of this.#notes) {
      for (const [reference, at] of notes) yield { repository, reference, at };
    }
  }

  /** What was pulled again meanwhile stays noted. */
  #forget(batch: readonly Pull[]): void {
    for (const { repository, reference, at } of batch) {
      const notes = this.#notes.get(repository);
      if (notes?.get(reference) === at) notes.delete(reference);
      if (notes?.size === 0) this.#notes.delete(repository);
    }
  }
}
