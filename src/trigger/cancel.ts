import type { Run, RunId } from '../domain/run.ts';
import type { RunNotices, RunQueue } from '../queue/ports.ts';
import type { RunStore } from '../store/ports.ts';

export interface CancelDeps {
  readonly runs: Pick<RunStore, 'requestCancel'>;
  readonly queue: Pick<RunQueue, 'remove'>;
  /** Told of the end of a run that had not begun: no worker will. */
  readonly notices?: Pick<RunNotices, 'publish'> | undefined;
  readonly onWarning: (message: string, error: unknown) => void;
}

/**
 * Cancels a run for `by`, as {@link RunStore.requestCancel} does: one that waits is over at once, taken out of the queue, and told of. May be
 * repeated; no effect on a run that is over. Undefined: no such run.
 */
export async function cancelRun(deps: CancelDeps, runId: RunId, by: string): Promise<Run | undefined> {
  const run = await deps.runs.requestCancel(runId, by);
  if (run?.status !== 'Canceled') return run;
  // What cannot be told now is told by the sweeper, which finds every run that has ended.
  deps.notices?.publish({ runId, kind: 'ended', attempt: run.attempt }).catch((error: unknown) => {
    deps.onWarning(`nobody could be told yet that run ${runId} is canceled`, error);
  });
  try {
    await deps.queue.remove(runId, run.pool);
  } catch (error) {
    // The store has the last word: a worker that still finds the run in the queue does not begin it.
    deps.onWarning(`could not take the canceled run ${runId} out of the queue; no worker will begin it`, error);
  }
  return run;
}
