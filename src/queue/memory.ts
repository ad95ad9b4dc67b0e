import type { RegistryEvent } from '../domain/event.ts';
import type { RunId } from '../domain/run.ts';
import type { RegistryEventQueue, RunConsumer, RunConsumerOptions, RunQueue } from './ports.ts';

/** A queue in this process's memory, with the consumers that take from it. */
export interface MemoryQueue extends RunQueue {
  consume(options: RunConsumerOptions): Promise<RunConsumer>;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
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

  /** Works the run off and says afterwards whether it goes back. */
  take(id: RunId, giveBack: (isHandedBack: boolean) => void): void {
    const work = async (): Promise<void> => {
      let isHandedBack = false;
      try {
        isHandedBack = (await this.#options.handle(id, new AbortController().signal)) === 'hand-back';
      } catch (error) {
        this.#options.onError(asError(error));
      }
      this.#running.delete(id);
      giveBack(isHandedBack);
    };
    this.#running.set(id, Promise.resolve().then(work));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }
}

class MemoryRunQueue implements MemoryQueue {
  readonly #waiting: RunId[] = [];
  readonly #consumers: Consumer[] = [];

  async enqueue(id: RunId): Promise<void> {
    if (this.#knows(id)) return;
    this.#waiting.push(id);
    this.#dispatch();
  }

  async remove(id: RunId): Promise<boolean> {
    const index = this.#waiting.indexOf(id);
    if (index !== -1) this.#waiting.splice(index, 1);
    return index !== -1;
  }

  async position(id: RunId): Promise<number | undefined> {
    const index = this.#waiting.indexOf(id);
    return index === -1 ? undefined : index + 1;
  }

  async has(id: RunId): Promise<boolean> {
    return this.#knows(id);
  }

  async close(): Promise<void> {
    this.#waiting.length = 0;
  }

  async consume(options: RunConsumerOptions): Promise<RunConsumer> {
    const consumer = new Consumer(options);
    this.#consumers.push(consumer);
    this.#dispatch();
    return {
      pause: async () => {
        consumer.isPaused = true;
      },
      resume: async () => {
        consumer.isPaused = false;
        this.#dispatch();
      },
      close: async () => {
        consumer.isClosed = true;
        await consumer.settled();
      },
    };
  }

  #knows(id: RunId): boolean {
    return this.#waiting.includes(id) || this.#consumers.some((consumer) => consumer.has(id));
  }

  /** Gives waiting runs to free consumers; `last` is asked only when no other is free. */
  #dispatch(last?: Consumer): void {
    const free = this.#consumers.filter((consumer) => consumer.isFree);
    const next = free.find((consumer) => consumer !== last) ?? free[0];
    const id = next === undefined ? undefined : this.#waiting.shift();
    if (next === undefined || id === undefined) return;
    next.take(id, (isHandedBack) => {
      if (isHandedBack) this.#waiting.unshift(id);
      this.#dispatch(next);
    });
    this.#dispatch();
  }
}

/**
 * The queue for tests and for trying things out. A run that was handed back is first in line again and goes to another consumer when
 * one is free.
 */
export function createMemoryQueue(): MemoryQueue {
  return new MemoryRunQueue();
}

/** How often, and after how many milliseconds (doubled each time), an event is handed out again when its handling failed. */
export interface RetryOptions {
  readonly attempts?: number;
  readonly backoffMs?: number;
}

interface EventConsumer {
  readonly handle: (event: RegistryEvent) => Promise<void>;
  readonly onError: (error: Error) => void;
}

/** Registry events in this process's memory. */
export function createMemoryRegistryEvents({ attempts = 8, backoffMs = 1000 }: RetryOptions = {}): RegistryEventQueue {
  const published = new Set<string>();
  const waiting: RegistryEvent[] = [];
  const delays = new Set<NodeJS.Timeout>();
  let consumer: EventConsumer | undefined;

  const deliver = async (event: RegistryEvent, attempt: number): Promise<void> => {
    const current = consumer;
    if (!current) {
      waiting.push(event);
      return;
    }
    try {
      await current.handle(event);
    } catch (error) {
      current.onError(asError(error));
      if (attempt >= attempts) return;
      const delay = setTimeout(
        () => {
          delays.delete(delay);
          void deliver(event, attempt + 1);
        },
        backoffMs * 2 ** (attempt - 1),
      );
      delays.add(delay);
    }
  };
  return {
    async publish(event) {
      if (published.has(event.id)) return;
      published.add(event.id);
      void Promise.resolve().then(() => deliver(event, 1));
    },
    async consume(handle, onError) {
      const own = { handle, onError };
      consumer = own;
      for (const event of waiting.splice(0)) void deliver(event, 1);
      return {
        async close() {
          if (consumer === own) consumer = undefined;
        },
      };
    },
    async close() {
      consumer = undefined;
      for (const delay of delays) clearTimeout(delay);
    },
  };
}
