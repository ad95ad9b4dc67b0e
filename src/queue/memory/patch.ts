import { lineOf, patchKeyOf, patchPause, patchTries, type PatchLine } from '../patch-job.ts';
import type { PatchJob, PatchQueue } from '../ports.ts';

interface Consumer {
  readonly handle: (job: PatchJob) => Promise<void>;
  readonly onError: (error: Error) => void;
}

interface Waiting {
  readonly key: string;
  readonly job: PatchJob;
  readonly tries: number;
}

interface LineOptions {
  /** How many jobs are worked on at a time. */
  readonly atOnce: number;
  readonly pauseMs: number;
}

/** Jobs that are worked on `atOnce` at a time, in the order they came; those from before the consumer wait for it. */
class Line {
  readonly #options: LineOptions;
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<string, Promise<void>>();
  /** Jobs that were published while they were worked on. */
  readonly #again = new Map<string, PatchJob>();
  readonly #pauses = new Map<string, NodeJS.Timeout>();
  #consumer: Consumer | undefined;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  add(job: PatchJob): void {
    const key = patchKeyOf(job);
    if (this.#running.has(key)) this.#again.set(key, job);
    else if (!this.#pauses.has(key) && !this.#waiting.some((one) => one.key === key)) {
      this.#waiting.push({ key, job, tries: 0 });
      this.#start();
    }
  }

  consume(consumer: Consumer): { close(): Promise<void> } {
    this.#consumer = consumer;
    this.#start();
    return {
      close: async () => {
        if (this.#consumer === consumer) this.#consumer = undefined;
        await Promise.all(this.#running.values());
      },
    };
  }

  async close(): Promise<void> {
    this.#consumer = undefined;
    for (const pause of this.#pauses.values()) clearTimeout(pause);
    await Promise.all(this.#running.values());
  }

  #start(): void {
    const consumer = this.#consumer;
    if (consumer === undefined || this.#running.size >= this.#options.atOnce) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#running.set(next.key, this.#work(next, consumer));
    this.#start();
  }

  async #work({ key, job, tries }: Waiting, consumer: Consumer): Promise<void> {
    await Promise.resolve();
    try {
      await consumer.handle(job);
    } catch (error) {
      consumer.onError(error instanceof Error ? error : new Error(String(error)));
      if (tries + 1 < patchTries[job.kind]) this.#pause({ key, job, tries: tries + 1 });
    }
    this.#running.delete(key);
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again) this.add(again);
    this.#start();
  }

  #pause(waiting: Waiting): void {
    const { job, tries, key } = waiting;
    const pause = setTimeout(
      () => {
        this.#pauses.delete(key);
        this.#waiting.push(waiting);
        this.#start();
      },
      patchPause(job.kind, tries, this.#options.pauseMs, Math.random()),
    );
    this.#pauses.set(key, pause);
  }
}

/** Work of base-image patching in this process's memory; the pause before a second try is up to `pauseMs`, doubled each time after. */
export function createMemoryPatchQueue({ pauseMs = 1000 } = {}): PatchQueue {
  const lines: Readonly<Record<PatchLine, Line>> = {
    campaigns: new Line({ atOnce: 1, pauseMs }),
    asking: new Line({ atOnce: 4, pauseMs }),
    learning: new Line({ atOnce: 4, pauseMs }),
  };
  const all = Object.values(lines);
  return {
    async publish(job) {
      lines[lineOf(job)].add(job);
    },
    async consume(handle, onError) {
      const consumers = all.map((line) => line.consume({ handle, onError }));
      return {
        async close() {
          await Promise.all(consumers.map((consumer) => consumer.close()));
        },
      };
    },
    async close() {
      await Promise.all(all.map((line) => line.close()));
    },
  };
}
