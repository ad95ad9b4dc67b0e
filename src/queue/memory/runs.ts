import type { RunId } from '../../domain/run.ts';
import type { QueuePlace, RunConsumer, RunConsumerOptions, RunQueue, Taken } from '../ports.ts';
import { poolKey, priorityOf } from '../priority.ts';

/** A queue in this process's memory, with the consumers that take from it. */
export interface MemoryQueue extends RunQueue {
  consume(options: RunConsumerOptions): Promise<RunConsumer>;
}

/** One consumer: what it works on, and whether it takes more. */
class Consumer {
  readonly #options: RunConsumerOptions;
  readonly #running = new Map<RunId, Promise<void>>();
  isPaused = false;
  isClosed = false;

  constructor(options: RunConsumerOptions) {
    this.#options = options;
  }

  get isFree(): boolean {
    return !this.isPaused && !this.isClosed && this.#running.size < this.#options.concurrency;
  }

  has(id: RunId): boolean {
    return this.#running.has(id);
  }

  /** Works the run off and says afterwards what became of it. */
  take(id: RunId, giveBack: (taken: Taken) => void): void {
    const work = async (): Promise<void> => {
      let taken: Taken = 'done';
      try {
        taken = await this.#options.handle(id, new AbortController().signal);
      } catch (error) {
        this.#options.onError(error instanceof Error ? error : new Error(String(error)));
      }
      this.#running.delete(id);
      giveBack(taken);
    };
    this.#running.set(id, Promise.resolve().then(work));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }
}

interface Waiting {
  readonly id: RunId;
  readonly priority: number;
}

/** The runs of one pool. */
class Pool {
  readonly #waiting: Waiting[] = [];
  readonly #consumers: Consumer[] = [];
  readonly #putOff = new Map<RunId, NodeJS.Timeout>();
  readonly #laterMs: number;

  constructor(laterMs: number) {
    this.#laterMs = laterMs;
  }

  enqueue(waiting: Waiting): void {
    if (this.has(waiting.id)) return;
    this.#insert(waiting);
    this.dispatch();
  }

  remove(id: RunId): boolean {
    clearTimeout(this.#putOff.get(id));
    if (this.#putOff.delete(id)) return true;
    const index = this.#indexOf(id);
    if (index !== -1) this.#waiting.splice(index, 1);
    return index !== -1;
  }

  position(id: RunId): number | undefined {
    const index = this.#indexOf(id);
    return index === -1 ? undefined : index + 1;
  }

  has(id: RunId): boolean {
    const isWaiting = this.#indexOf(id) !== -1 || this.#putOff.has(id);
    return isWaiting || this.#consumers.some((consumer) => consumer.has(id));
  }

  add(consumer: Consumer): void {
    this.#consumers.push(consumer);
    this.dispatch();
  }

  clear(): void {
    this.#waiting.length = 0;
    for (const timer of this.#putOff.values()) clearTimeout(timer);
    this.#putOff.clear();
  }

  /** Gives waiting runs to free consumers; `last` is asked only when no other is free. */
  dispatch(last?: Consumer): void {
    const free = this.#consumers.filter((consumer) => consumer.isFree);
    const next = free.find((consumer) => consumer !== last) ?? free[0];
    const first = next === undefined ? undefined : this.#waiting.shift();
    if (next === undefined || first === undefined) return;
    next.take(first.id, (taken) => {
      if (taken === 'hand-back') this.#waiting.unshift({ id: first.id, priority: 0 });
      if (taken === 'later') this.#wait(first);
      this.dispatch(next);
    });
    this.dispatch();
  }

  #indexOf(id: RunId): number {
    return this.#waiting.findIndex((waiting) => waiting.id === id);
  }

  #insert(waiting: Waiting): void {
    const index = this.#waiting.findIndex(({ priority }) => priority > waiting.priority);
    this.#waiting.splice(index === -1 ? this.#waiting.length : index, 0, waiting);
  }

  #wait(waiting: Waiting): void {
    const timer = setTimeout(() => {
      this.#putOff.delete(waiting.id);
      this.#insert(waiting);
      this.dispatch();
    }, this.#laterMs);
    this.#putOff.set(waiting.id, timer);
  }
}

class MemoryRunQueue implements MemoryQueue {
  readonly #pools = new Map<string, Pool>();
  readonly #laterMs: number;

  constructor(laterMs: number) {
    this.#laterMs = laterMs;
  }

  async enqueue(id: RunId, place: QueuePlace = {}): Promise<void> {
    this.#pool(place.pool).enqueue({ id, priority: priorityOf(place, Date.now()) });
  }

  async enqueueMany(runs: Parameters<RunQueue['enqueueMany']>[0]): Promise<void> {
    await Promise.all(runs.map(({ id, place }) => this.enqueue(id, place)));
  }

  async remove(id: RunId, pool?: string): Promise<boolean> {
    return this.#pool(pool).remove(id);
  }

  async position(id: RunId, pool?: string): Promise<number | undefined> {
    return this.#pool(pool).position(id);
  }

  async has(id: RunId, pool?: string): Promise<boolean> {
    return this.#pool(pool).has(id);
  }

  async close(): Promise<void> {
    for (const pool of this.#pools.values()) pool.clear();
  }

  async consume(options: RunConsumerOptions): Promise<RunConsumer> {
    const consumer = new Consumer(options);
    const pool = this.#pool(options.pool);
    pool.add(consumer);
    return {
      pause: async () => {
        consumer.isPaused = true;
      },
      resume: async () => {
        consumer.isPaused = false;
        pool.dispatch();
      },
      close: async () => {
        consumer.isClosed = true;
        await consumer.settled();
      },
    };
  }

  #pool(name: string | undefined): Pool {
    const key = poolKey(name);
    const pool = this.#pools.get(key) ?? new Pool(this.#laterMs);
    this.#pools.set(key, pool);
    return pool;
  }
}

/**
 * The queue for tests and for trying things out. A run that was handed back is first in line again and goes to another consumer when
 * one is free; one that is to be asked for later waits `laterMs` (1 s).
 */
export function createMemoryQueue({ laterMs = 1000 }: { readonly laterMs?: number } = {}): MemoryQueue {
  return new MemoryRunQueue(laterMs);
}
