import type { Run } from '../../domain/run.ts';
import type { WorkerBeat } from '../../store/ports.ts';
import type { Waiting } from '../documents.ts';
import type { AppOptions } from '../options.ts';

function explain(workers: readonly WorkerBeat[], position: number | undefined): string {
  if (workers.length === 0) return 'no worker is connected';
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
  const [position, workers] = await Promise.all([options.queue.position(run.runId), options.store.workers.list()]);
  return { ...(position !== undefined && { position }), reason: explain(workers, position) };
}
