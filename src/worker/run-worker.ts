import type { RunId } from '../domain/run.ts';
import { stop } from '../engine/stop.ts';
import type { RunConsumer, RunConsumerOptions } from '../queue/ports.ts';
import type { WorkerBeat } from '../store/ports.ts';
import { periodically } from './periodically.ts';
import { workRun } from './work-run.ts';
import type { WorkRunOptions } from './work.ts';

export interface RunWorkerOptions extends Omit<WorkRunOptions, 'line' | 'onEngineLost' | 'store' | 'waitingSince'> {
  readonly store: WorkRunOptions['store'] & {
    readonly workers: { beat(worker: WorkerBeat): Promise<void>; leave(name: string): Promise<void> };
  };
  readonly pool: string;
  readonly concurrency: number;
  /** How long `close` waits for the runs at work before it hands them back. */
  readonly stopGraceMs: number;
  /** Milliseconds between looks at the engine and beats. */
  readonly beatMs: number;
  readonly consume: (options: RunConsumerOptions) => Promise<RunConsumer>;
}

export interface RunWorker {
  /** Takes no more runs, waits for those at work as long as the grace allows, hands the rest back, and leaves. */
  close(): Promise<void>;
}

type EngineState = WorkerBeat['engine'];

/** The runs at work in this process, each with what stops it. */
type Stoppers = Map<RunId, AbortController>;

async function lookAtEngine({ readEngine }: RunWorkerOptions): Promise<EngineState> {
  try {
    return { ok: true, version: (await readEngine()).version };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : 'the engine does not answer' };
  }
}

function createHandler(options: RunWorkerOptions, stoppers: Stoppers, onEngineLost: () => Promise<void>) {
  const waitingSince = new Map<RunId, number>();
  const line = { last: Promise.resolve() };
  return async (id: RunId, signal: AbortSignal) => {
    const stopper = new AbortController();
    signal.addEventListener('abort', () => {
      stop(stopper, { kind: 'superseded' });
    });
    stoppers.set(id, stopper);
    try {
      return await workRun(id, stopper, { ...options, onEngineLost, waitingSince, line });
    } finally {
      stoppers.delete(id);
    }
  };
}

/** The second witness of a cancel, should its message have been lost. */
async function lookForCancels(options: RunWorkerOptions, stoppers: Stoppers): Promise<void> {
  for (const [id, stopper] of stoppers) {
    const run = await options.store.runs.get(id);
    if (run?.cancelRequested) stop(stopper, { kind: 'canceled', by: run.cancelRequested.by });
  }
}

/** Looks at the engine and says that the worker lives; tells `onChange` when the engine went or came back. */
function createBeat(options: RunWorkerOptions, stoppers: Stoppers, onChange: (isUp: boolean) => Promise<void>) {
  const startTime = new Date(options.clock.now()).toISOString();
  let wasUp = true;
  return async (): Promise<void> => {
    const engine = await lookAtEngine(options);
    if (engine.ok !== wasUp) {
      options.logger.warn({ engine }, engine.ok ? 'the engine is back' : 'the engine is gone; no run is taken');
      await onChange(engine.ok);
    }
    wasUp = engine.ok;
    const { name, pool, concurrency } = options;
    await options.store.workers.beat({ name, pool, concurrency, running: [...stoppers.keys()], engine, startTime });
    await lookForCancels(options, stoppers);
  };
}

/** Closes the consumer; runs that are still at work when the grace is over are handed back. */
async function closeConsumer(consumer: RunConsumer, stoppers: Stoppers, graceMs: number): Promise<void> {
  const grace = setTimeout(() => {
    for (const stopper of stoppers.values()) stop(stopper, { kind: 'handed-back', because: 'the worker shuts down' });
  }, graceMs);
  await consumer.close();
  clearTimeout(grace);
}

/**
 * A run worker: takes runs from the queue while its engine answers, does up to `concurrency` at a time, stops what is canceled, and says
 * every few seconds that it lives.
 */
export async function startRunWorker(options: RunWorkerOptions): Promise<RunWorker> {
  const stoppers: Stoppers = new Map();
  const { logger, store } = options;
  let lookAgain = (): Promise<void> => Promise.resolve();
  const consumer = await options.consume({
    pool: options.pool,
    concurrency: options.concurrency,
    handle: createHandler(options, stoppers, () => lookAgain()),
    onError: (error) => {
      logger.warn({ err: error }, 'the queue reports an error');
    },
  });
  const beat = createBeat(options, stoppers, (isUp) => (isUp ? consumer.resume() : consumer.pause()));
  const beating = periodically(options.beatMs, beat, (error) => {
    logger.debug({ err: error }, 'no beat this time');
  });
  lookAgain = beating.now;
  const stopListening = await store.runs.onCancel((id) => {
    if (stoppers.has(id)) void lookForCancels(options, stoppers).catch(() => beating.now());
  });
  return {
    async close() {
      await closeConsumer(consumer, stoppers, options.stopGraceMs);
      await beating.close();
      await stopListening();
      await store.workers.leave(options.name);
    },
  };
}
