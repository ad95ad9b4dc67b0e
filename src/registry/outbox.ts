import { setTimeout as sleep } from 'node:timers/promises';
import type { RegistryEvent } from '../domain/event.ts';
import type { Change } from './changes.ts';
import type { RegistryOptions } from './options.ts';
import type { RegistryState } from './state.ts';

const longestRetryMs = 60_000;
/** What was told is written down together. */
const toldMs = 250;
/** Events that are being told at a time. */
const mostAtOnce = 64;
/** How often it is said that events are not taken. */
const warnEveryMs = 60_000;
/** How long the end waits for whoever is being told: what is not known to be told is told again. */
const mostCloseMs = 5000;

/** An event whose turn has not come. */
interface Queued {
  readonly event: RegistryEvent;
  /** The wait after it when it fails. */
  readonly retryMs: number;
}

/**
 * Events on their way out. They are committed with the change that they tell of, and go when they were taken: each is told at least
 * once, by the process that committed it, or by another when that one died.
 */
export class Outbox {
  readonly #state: RegistryState;
  readonly #onEvent: RegistryOptions['onEvent'];
  readonly #queued = new Map<string, Queued>();
  readonly #telling = new Map<string, Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #told: string[] = [];
  #warnedAt = -Infinity;
  #isClosed = false;

  constructor(state: RegistryState, onEvent: RegistryOptions['onEvent']) {
    this.#state = state;
    this.#onEvent = onEvent;
    state.ledger.listen((changes, isOwn) => {
      this.#take(changes, isOwn);
    });
  }

  /** Tells what an earlier process left. */
  replay(): void {
    const { index, ledger } = this.#state;
    for (const event of index.events.values()) {
      if (ledger.isShared) this.#later(() => this.#tellStill(event), this.#state.limits.eventTakeoverMs);
      else this.#start(event, this.#state.limits.eventRetryMs);
    }
  }

  /** Ends retries, waits a while for the events that are being told, and writes down that they were. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const enough = new AbortController();
    const waited = sleep(mostCloseMs, undefined, { signal: enough.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.#telling.values()), waited]);
    enough.abort();
    await this.#noteTold().catch(() => undefined); // they are told again at the next start
  }

  #take(changes: readonly Change[], isOwn: boolean): void {
    for (const change of changes) {
      if (change.is !== 'event' || change.record === undefined) continue;
      const event = change.record;
      if (isOwn) this.#start(event, this.#state.limits.eventRetryMs);
      else this.#later(() => this.#tellStill(event), this.#state.limits.eventTakeoverMs);
    }
  }

  #tellStill(event: RegistryEvent): void {
    if (this.#state.index.events.has(event.id)) this.#start(event, this.#state.limits.eventRetryMs);
  }

  #start(event: RegistryEvent, retryMs: number): void {
    if (this.#telling.has(event.id) || this.#queued.has(event.id)) return;
    this.#queued.set(event.id, { event, retryMs });
    this.#tellNext();
  }

  #tellNext(): void {
    for (const [id, { event, retryMs }] of this.#queued) {
      if (this.#isClosed || this.#telling.size >= mostAtOnce) return; // while closed: the next start tells it
      this.#queued.delete(id);
      const told = this.#tell(event, retryMs).finally(() => {
        this.#telling.delete(id);
        this.#tellNext();
      });
      this.#telling.set(id, told);
    }
  }

  async #tell(event: RegistryEvent, retryMs: number): Promise<void> {
    try {
      await this.#onEvent(event);
      if (this.#told.push(event.id) === 1) this.#later(() => void this.#noteTold().catch(() => undefined), toldMs);
    } catch (error) {
      this.#warn(event, error);
      this.#later(() => {
        this.#start(event, Math.min(retryMs * 2, longestRetryMs));
      }, retryMs);
    }
  }

  #warn(event: RegistryEvent, error: unknown): void {
    const now = performance.now();
    if (now - this.#warnedAt < warnEveryMs) return;
    this.#warnedAt = now;
    const details = { err: error, event: event.id, untold: this.#state.index.events.size };
    this.#state.logger.warn(details, 'an event of the registry was not taken and will be told again');
  }

  async #noteTold(): Promise<void> {
    const ids = this.#told;
    this.#told = [];
    if (ids.length === 0) return;
    const changes = ids.map((id): Change => ({ is: 'event', id }));
    try {
      await this.#state.ledger.commit(() => ({ changes, result: undefined }), { own: [] });
    } catch (error) {
      this.#told.unshift(...ids);
      this.#later(() => void this.#noteTold().catch(() => undefined), this.#state.limits.eventRetryMs);
      throw error;
    }
  }

  #later(work: () => void, ms: number): void {
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms).unref();
    this.#timers.add(timer);
  }
}
