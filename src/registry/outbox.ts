import { forEachKey, putDocument, readDocument } from './documents.ts';
import { outboxKey, outboxPrefix, tagKey } from './layout.ts';
import type { RegistryEvent } from '../domain/event.ts';
import type { RegistryOptions } from './options.ts';
import type { OutboxDocument, TagDocument } from './records.ts';
import { settleAll } from './settle.ts';
import type { RegistryState } from './state.ts';

const longestRetryMs = 60_000;

/**
 * Events on their way out. The order that makes "at least once" true: {@link Outbox.write}, then the change itself,
 * then {@link Outbox.deliver}; the object goes only when the event was taken. At start, {@link Outbox.replay} tells
 * again what was not taken, and drops events whose change never came about.
 */
export class Outbox {
  readonly #state: RegistryState;
  readonly #onEvent: RegistryOptions['onEvent'];
  readonly #telling = new Set<Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isClosed = false;

  constructor(state: RegistryState, onEvent: RegistryOptions['onEvent']) {
    this.#state = state;
    this.#onEvent = onEvent;
  }

  async write(events: readonly RegistryEvent[]): Promise<void> {
    const document = (event: RegistryEvent): OutboxDocument => ({ version: 1, event });
    const { storage } = this.#state;
    await settleAll(events.map((event) => putDocument(storage, outboxKey(event.id), document(event))));
  }

  /** After a change that failed: tells the events of the parts that came about all the same, and takes back the others. */
  async settle(events: readonly RegistryEvent[]): Promise<void> {
    await Promise.allSettled(events.map((event) => this.#settleOne(event)));
  }

  /** Tells events, now and until they are taken; returns at once. */
  deliver(events: readonly RegistryEvent[]): void {
    for (const event of events) this.#start(event, this.#state.limits.eventRetryMs);
  }

  /** Tells what an earlier process left. */
  async replay(): Promise<void> {
    const { storage, reportDamage } = this.#state;
    await forEachKey(storage, outboxPrefix, async (key) => {
      const document = await readDocument<OutboxDocument>(storage, key, reportDamage);
      if (document !== undefined) await this.#settleOne(document.event);
    });
  }

  /** Ends retries and waits for the events that are being told. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#telling);
  }

  async #settleOne(event: RegistryEvent): Promise<void> {
    if (await cameAbout(this.#state, event)) this.deliver([event]);
    else await this.#state.storage.delete(outboxKey(event.id));
  }

  #start(event: RegistryEvent, retryMs: number): void {
    if (this.#isClosed) return; // the object stays; the next start tells it
    const told = this.#tell(event, retryMs).finally(() => this.#telling.delete(told));
    this.#telling.add(told);
  }

  async #tell(event: RegistryEvent, retryMs: number): Promise<void> {
    try {
      await this.#onEvent(event);
      await this.#state.storage.delete(outboxKey(event.id));
    } catch (error) {
      const details = { err: error, event: event.id };
      this.#state.logger.warn(details, 'an event of the registry was not taken and will be told again');
      this.#retryLater(event, retryMs);
    }
  }

  #retryLater(event: RegistryEvent, retryMs: number): void {
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#start(event, Math.min(retryMs * 2, longestRetryMs));
    }, retryMs).unref();
    this.#timers.add(timer);
  }
}

/** Whether the change that an event tells of was made, though the process may have died right after it. */
async function cameAbout(state: RegistryState, event: RegistryEvent): Promise<boolean> {
  const repository = state.index.repository(event.repository);
  switch (event.kind) {
    case 'delete':
      return repository?.manifests.has(event.digest) !== true;
    case 'untag':
      return repository?.tag(event.tag) === undefined;
    case 'push': {
      if (event.tag === undefined) return repository?.manifests.has(event.digest) === true;
      const key = tagKey(event.repository, event.tag);
      const tag = await readDocument<TagDocument>(state.storage, key, state.reportDamage);
      return tag?.history.some((move) => move.event === event.id) === true;
    }
  }
}
