import type { Digest } from '../../domain/digest.ts';
import type { Amount, CollectionOrder, CollectionReport } from '../../domain/registry-upkeep.ts';
import { timeOf, type RegistryState } from '../state.ts';
import { condemn } from './condemned.ts';
import { forecast } from './forecast.ts';
import { walkContents } from './orphans.ts';
import { Removal } from './removal.ts';
import { findUnused, unlink, type LinkedBlob } from './unused.ts';

/** Records that one commit changes. */
const batch = 128;
const walkPauseMs = 20;
/** Where it is written down when the store was last walked through. */
const walkDocument = { kind: 'collector', name: 'walk' } as const;

/**
 * Removes what nobody uses, while pushes go on. A blob that no manifest of its repository names leaves the repository when nobody has
 * touched it for long; bytes that no repository holds are condemned, and removed later, unless a push saves them.
 */
export class Collector {
  readonly #state: RegistryState;
  readonly #removal: Removal;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(state: RegistryState) {
    this.#state = state;
    this.#removal = new Removal(state);
  }

  /** Ends what an earlier process began, and begins with the rounds. */
  start(): void {
    const { intervalMs } = this.#state.collection;
    this.#inBackground(() => this.#removal.finish());
    if (intervalMs <= 0) return;
    this.#timer = setInterval(() => {
      this.#inBackground(() => this.#collect(this.#isWalkDue()));
    }, intervalMs).unref();
  }

  /** One round now, after the one that is under way. */
  collect({ dryRun = false, walk }: CollectionOrder = {}): Promise<CollectionReport> {
    return this.#inTurn(() => (dryRun ? forecast(this.#state, walk === true) : this.#collect(walk ?? false)));
  }

  /** Waits for the commit that is under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#running.catch(() => undefined);
  }

  async #collect(walk: boolean): Promise<CollectionReport> {
    const { index, clock, collection, ledger } = this.#state;
    await ledger.refresh();
    const finished = await this.#removal.finish();
    const unlinked = await this.#unlinkUnused();
    const condemned = await this.#condemnAll([...index.unheld.keys()]);
    const orphans = walk ? await this.#condemnOrphans() : undefined;
    const before = clock.now() - collection.delayMs;
    const due = [...index.condemned].filter(([, { since }]) => Date.parse(since) <= before).map(([digest]) => digest);
    const removed = await this.#removal.removeDue(due, before, this.#stop.signal);
    return {
      ...{ dryRun: false, unlinked, condemned: condemned + (orphans ?? 0) },
      removed: { count: removed.count + finished.count, bytes: removed.bytes + finished.bytes },
      waiting: index.condemned.size,
      ...(orphans !== undefined && { orphans }),
    };
  }

  async #unlinkUnused(): Promise<Amount> {
    const { index, clock, collection } = this.#state;
    const before = clock.now() - collection.graceMs;
    const sum = { count: 0, bytes: 0 };
    let some: LinkedBlob[] = [];
    const flush = async (): Promise<void> => {
      const { count, bytes } = await unlink(this.#state, some, before);
      some = [];
      sum.count += count;
      sum.bytes += bytes;
    };
    for await (const blob of findUnused(index, before)) {
      if (this.#stop.signal.aborted) break;
      some.push(blob);
      if (some.length === batch) await flush();
    }
    if (some.length > 0) await flush();
    return sum;
  }

  async #condemnAll(digests: readonly Digest[]): Promise<number> {
    let count = 0;
    for (let start = 0; start < digests.length && !this.#stop.signal.aborted; start += batch) {
      count += (await condemn(this.#state, digests.slice(start, start + batch))).length;
    }
    return count;
  }

  async #condemnOrphans(): Promise<number> {
    let count = 0;
    for await (const { orphans } of walkContents(this.#state, walkPauseMs)) {
      if (this.#stop.signal.aborted) return count;
      count += await this.#condemnAll(orphans);
    }
    const record = { time: timeOf(this.#state) };
    await this.#state.ledger.commit(() => ({
      changes: [{ is: 'document', ...walkDocument, record }],
      result: undefined,
    }));
    return count;
  }

  #isWalkDue(): boolean {
    const { index, clock, collection } = this.#state;
    const last = index.document(walkDocument.kind, walkDocument.name) as { readonly time?: string } | undefined;
    return last?.time === undefined || clock.now() - Date.parse(last.time) >= collection.walkEveryMs;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#running.then(work);
    this.#running = turn.catch(() => undefined);
    return turn;
  }

  #inBackground(work: () => Promise<unknown>): void {
    this.#inTurn(work).catch((error: unknown) => {
      this.#state.logger.warn({ err: error }, 'garbage collection of the registry failed; the next round tries again');
    });
  }
}
