import { DelayedError, WaitingError, Worker, type Job } from 'bullmq';
import type { RunConsumer, RunConsumerOptions, Taken } from '../ports.ts';
import { connect, keyPrefix, reportOutageOnce, type BullOptions } from './connection.ts';
import { runQueueName, type RunJob } from './run-queue.ts';

export interface BullConsumerOptions extends BullOptions, RunConsumerOptions {
  /** How long a run stays with a worker that says nothing more; it says so at half this time. 30 s when left out. */
  readonly lockMs?: number;
  /** How often it is looked for runs whose worker is gone; 10 s when left out. */
  readonly stalledCheckMs?: number;
  /** How long a consumer takes nothing after it handed a run back, so that another may have it; 1 s when left out. */
  readonly handBackRestMs?: number;
  /** How long a run waits that is to be asked for again later, and up to a quarter more; 1 s when left out. */
  readonly laterMs?: number;
}

/** The library gives a run up after so many lost workers; the store counts attempts, and decides. */
const mostStalls = 1000;
/** How long `close` waits for Redis to be told, once the runs at work have ended. */
const closeGraceMs = 2000;

/** The consumer's end of the queue of runs. */
class BullConsumer implements RunConsumer {
  readonly #options: BullConsumerOptions;
  readonly #running = new Set<Promise<unknown>>();
  #worker: Worker<RunJob> | undefined;
  #isPaused = false;
  #isClosing = false;
  #rest: NodeJS.Timeout | undefined;

  constructor(options: BullConsumerOptions) {
    this.#options = options;
  }

  attach(worker: Worker<RunJob>, report: (error: Error) => void): void {
    this.#worker = worker;
    worker.on('error', (error) => {
      if (!this.#isClosing) report(error);
    });
    worker.on('lockRenewalFailed', (ids: string[]) => {
      for (const id of ids) worker.cancelJob(id, 'the queue gave the run to another worker');
    });
  }

  /** What the library calls for each run. A rejection with `WaitingError` says that the job is not ours to finish. */
  async process(job: Job<RunJob>, token?: string, signal = new AbortController().signal): Promise<void> {
    // A pause may come while a job is already on its way to here.
    const taken = this.#isPaused ? 'hand-back' : await this.#handle(job, signal);
    if (signal.aborted) throw new WaitingError();
    if (taken === 'later') return this.#putOff(job, token);
    if (taken === 'hand-back') await this.#handBack(job, token);
  }

  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#worker?.pause(true);
  }

  async resume(): Promise<void> {
    this.#isPaused = false;
    if (this.#rest === undefined) await this.#worker?.resume();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#rest);
    const closed = this.#worker?.close();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, closeGraceMs, 'late');
    });
    const isLate = (await Promise.race([closed, late])) === 'late';
    clearTimeout(timer);
    if (isLate) (await this.#worker?.getBackend().blockingClient)?.disconnect();
  }

  #handle(job: Job<RunJob>, signal: AbortSignal): Promise<Taken> {
    const work = this.#options.handle(job.data.runId, signal);
    this.#running.add(work);
    const forget = (): void => {
      this.#running.delete(work);
    };
    work.then(forget, forget);
    return work.catch((error: unknown) => {
      this.#report(error);
      return 'done';
    });
  }

  /** What has a priority goes behind what has none, and wakes no idle worker when it comes back. */
  async #handBack(job: Job<RunJob>, token?: string): Promise<never> {
    await this.#startRest();
    try {
      await job.changePriority({ priority: 0 });
      await job.moveToWait(token);
    } catch (error) {
      this.#report(error);
    }
    throw new WaitingError();
  }

  /** The run keeps its priority; the workers that look at it do not do so all at once. */
  async #putOff(job: Job<RunJob>, token?: string): Promise<never> {
    const { laterMs = 1000 } = this.#options;
    await job.moveToDelayed(Date.now() + laterMs * (1 + Math.random() / 4), token).catch((error: unknown) => {
      this.#report(error);
    });
    throw new DelayedError();
  }

  /** A run that could not be given back is found like those of the dead, once its lock has run out. */
  #report(error: unknown): void {
    this.#options.onError(error instanceof Error ? error : new Error(String(error)));
  }

  async #startRest(): Promise<void> {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      if (!this.#isPaused && !this.#isClosing) void this.#worker?.resume();
    }, this.#options.handBackRestMs ?? 1000);
    await this.#worker?.pause(true);
  }
}

/**
 * Takes runs from its pool's queue, `concurrency` at a time. A run whose worker died is taken up by another after `lockMs` and two looks at
 * most; `handle` is told by its signal when that happened to a worker that lives. A run that is handed back is first in line again.
 * @throws as {@link connect}.
 */
export async function createBullConsumer(options: BullConsumerOptions): Promise<RunConsumer> {
  const redis = await connect(options, 'wait');
  const consumer = new BullConsumer(options);
  const worker = new Worker<RunJob>(
    runQueueName(options.pool),
    (job, token, signal) => consumer.process(job, token, signal),
    {
      connection: redis,
      prefix: keyPrefix(options.prefix),
      concurrency: options.concurrency,
      lockDuration: options.lockMs ?? 30_000,
      stalledInterval: options.stalledCheckMs ?? 10_000,
      maxStalledCount: mostStalls,
      runRetryDelay: 500,
    },
  );
  consumer.attach(worker, reportOutageOnce(redis, options.onError));
  await worker.waitUntilReady();
  return {
    pause: () => consumer.pause(),
    resume: () => consumer.resume(),
    async close() {
      await consumer.close();
      redis.disconnect();
    },
  };
}
