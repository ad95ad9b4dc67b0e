import type { Run } from '../../domain/run.ts';
import type { WorkerBeat } from '../../store/ports.ts';
import type { Waiting } from '../documents.ts';
import type { AppOptions } from '../options.ts';

function isOfPool(worker: WorkerBeat, pool = 'default'): boolean {
  return worker.pool.toLowerCase() === pool.toLowerCase();
}

/** How many runs of the run's task are at work; 0 where it does not matter, because any number may be. */
async function countAtWork({ task, maxConcurrent }: Run, { store }: Pick<AppOptions, 'store'>): Promise<number> {
  if (task === undefined || maxConcurrent === undefined) return 0;
  const active = await store.runs.listActive();
  return active.filter((one) => one.task === task && one.status !== 'Queued').length;
}

interface Around {
  readonly workers: readonly WorkerBeat[];
  readonly position: number | undefined;
  readonly atWork: number;
}

function explain({ pool, maxConcurrent = Infinity }: Run, { workers, position, atWork }: Around): string {
  if (workers.length > 0 && atWork >= maxConcurrent) {
    const runs = atWork === 1 ? '1 run' : `${String(atWork)} runs`;
    return `its task has ${runs} at work, and not more than ${String(maxConcurrent)} at a time`;
  }
  return explainPlace(pool, workers, position);
}

function explainPlace(pool: string | undefined, workers: readonly WorkerBeat[], position: number | undefined): string {
  if (workers.length === 0)
    return pool === undefined ? 'no worker is connected' : `no worker of pool ${pool} is connected`;
  if (!workers.some(({ engine }) => engine.ok)) {
    const reasons = workers.map(({ name, engine }) => `${name}: ${engine.ok ? '' : engine.reason}`);
    return `no worker has a working container engine (${reasons.join('; ')})`;
  }
  const isFree = workers.some((one) => one.engine.ok && one.running.length < one.concurrency);
  if (position === undefined || (isFree && position === 1)) return 'a worker is about to take it';
  return position === 1 ? 'every worker is busy; it is the next' : `${position - 1} runs are before it`;
}

/** Why a queued run has not begun; undefined for any other. */
export async function findWaiting(
  options: Pick<AppOptions, 'queue' | 'store'>,
  run: Run,
): Promise<Waiting | undefined> {
  if (run.status !== 'Queued') return undefined;
  const waiting = options.queue.position(run.runId, run.pool);
  const [position, all, atWork] = await Promise.all([waiting, options.store.workers.list(), countAtWork(run, options)]);
  const workers = all.filter((worker) => isOfPool(worker, run.pool));
  return { ...(position !== undefined && { position }), reason: explain(run, { workers, position, atWork }) };
}
