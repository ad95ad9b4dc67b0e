/** How often, and after how many milliseconds each time, a job is handed out again when its handling failed. */
export interface MemoryRetry {
  readonly attempts: number;
  readonly pauseMs: (attemptsMade: number, error: unknown) => number;
}

interface Consumer<T> {
  readonly handle: (job: T, attempt: number) => Promise<void>;
  readonly onError: (error: Error) => void;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Jobs in this process's memory, each known by its id for good, with one consumer; those from before the consumer wait for it. */
export class MemoryJobs<T> {
  readonly #retry: MemoryRetry;
  readonly #known = new Set<string>();
  readonly #waiting: T[] = [];
  readonly #pauses = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  #consumer: Consumer<T> | undefined;

  constructor(retry: MemoryRetry) {
    this.#retry = retry;
  }

  add(id: string, job: T): void {
    if (this.#known.has(id)) return;
    this.#known.add(id);
    this.#start(job, 1);
  }

  consume(consumer: Consumer<T>): { close(): Promise<void> } {
    this.#consumer = consumer;
    for (const job of this.#waiting.splice(0)) this.#start(job, 1);
    return {
      close: async () => {
        if (this.#consumer === consumer) this.#consumer = undefined;
        await Promise.all(this.#running);
      },
    };
  }

  close(): void {
    this.#consumer = undefined;
    for (const pause of this.#pauses) clearTimeout(pause);
  }

  #start(job: T, attempt: number): void {
    const work = Promise.resolve().then(() => this.#work(job, attempt));
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #work(job: T, attempt: number): Promise<void> {
    const consumer = this.#consumer;
    if (consumer === undefined) {
      this.#waiting.push(job);
      return;
    }
    try {
      await consumer.handle(job, attempt);
    } catch (error) {
      consumer.onError(asError(error));
      if (attempt < this.#retry.attempts) this.#pause(job, attempt, error);
    }
  }

  #pause(job: T, attempt: number, error: unknown): void {
    const pause = setTimeout(
      () => {
        this.#pauses.delete(pause);
        this.#start(job, attempt + 1);
      },
      this.#retry.pauseMs(attempt, error),
    );
    this.#pauses.add(pause);
  }
}
