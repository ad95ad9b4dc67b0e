import { FailureError } from '../domain/failure.ts';
import type { Run } from '../domain/run.ts';
import { inSlices } from '../domain/slices.ts';
import type { NoticeListener, RunNotices, RunQueue } from '../queue/ports.ts';
import type { NewRun, RunStore } from '../store/ports.ts';
import { placeOf, prepareRun, type Submission, type SubmitDeps } from './submit.ts';

/** What making many runs at once needs. */
export interface SubmitManyDeps extends Pick<SubmitDeps, 'key' | 'checkLocation' | 'hasUpload' | 'onWarning'> {
  readonly runs: Pick<RunStore, 'createMany'>;
  readonly queue: Pick<RunQueue, 'enqueueMany'>;
  /** Told of the runs that were made. */
  readonly notices?: Pick<RunNotices, 'publishMany'> | undefined;
}

/** A run that was made now or before (by its idempotency key), or why there can be none. */
export type SubmittedOne = { readonly run: Run; readonly created: boolean } | { readonly refused: FailureError };

/** How many are made, and then queued, while the next ones are prepared: what stores and queues take in one message. */
const sliceSize = 100;

async function prepare(deps: SubmitManyDeps, submission: Submission): Promise<NewRun | FailureError> {
  try {
    return (await prepareRun(deps, submission)).wanted;
  } catch (error) {
    if (error instanceof FailureError && error.failure.reason === 'invalid-request') return error;
    throw error;
  }
}

/** What is stored will be done even when the queue cannot be told now: see `submitRun`. */
async function enqueue({ queue, onWarning }: SubmitManyDeps, runs: readonly Run[]): Promise<void> {
  try {
    await queue.enqueueMany(runs.map((run) => ({ id: run.runId, place: placeOf(run) })));
  } catch (error) {
    onWarning(`${runs.length} runs are stored but could not be queued; the sweeper will queue them`, error);
  }
}

async function submitSlice(deps: SubmitManyDeps, slice: readonly Submission[]): Promise<readonly SubmittedOne[]> {
  const prepared = await Promise.all(slice.map((submission) => prepare(deps, submission)));
  const made = await deps.runs.createMany(prepared.flatMap((one) => (one instanceof FailureError ? [] : [one])));
  await enqueue(
    deps,
    made.map(({ run }) => run).filter(({ status }) => status === 'Queued'),
  );
  let next = 0;
  return prepared.map((one) => (one instanceof FailureError ? { refused: one } : (made[next++] as SubmittedOne)));
}

/** Who has something to say of a queued run: commits have a status only where a commit is what was built. */
function listenersOf({ cause }: Run): readonly NoticeListener[] {
  return cause?.kind === 'source' ? ['commit-statuses', 'notifications'] : ['notifications'];
}

/**
 * Tells of the runs that were made now. Nobody waits for those who tell others: what they miss is told with the next thing that happens to
 * the run.
 */
export function announceMade({ notices, onWarning }: SubmitManyDeps, submitted: readonly SubmittedOne[]): void {
  const runs = submitted.flatMap((one) => ('run' in one && one.created ? [one.run] : []));
  const tell = async (): Promise<void> => {
    for (const listener of ['notifications', 'commit-statuses'] as const) {
      const own = runs.filter((run) => listenersOf(run).includes(listener));
      const queued = own.map(({ runId }) => ({ runId, kind: 'queued', attempt: 0 }) as const);
      await notices?.publishMany(queued, [listener]);
    }
  };
  tell().catch((error: unknown) => {
    onWarning(`nobody could be told that ${runs.length} runs are queued`, error);
  });
}

/**
 * Stores and queues many runs, the same ones that `submitRun` would make of each; they are not planned before, and no worker is asked for.
 * The first are at work before the last are made; they are told of when all are. Gives for each, in order, the run, or the
 * `invalid-request` that speaks against it. Rejects with `redis-unavailable`: some were made then, and come again with the same
 * idempotency keys.
 */
export async function submitMany(
  deps: SubmitManyDeps,
  submissions: readonly Submission[],
): Promise<readonly SubmittedOne[]> {
  const submitted = await inSlices(submissions, sliceSize, (slice) => submitSlice(deps, slice));
  announceMade(deps, submitted);
  return submitted;
}
