import type { Logger } from 'pino';
import type { BlobStore } from '../blob/ports.ts';
import type { Clock } from '../domain/clock.ts';
import type { Run } from '../domain/run.ts';
import { laneOf } from '../domain/run-cause.ts';
import type { RunQueue } from '../queue/ports.ts';
import type { Store } from '../store/ports.ts';
import type { Archive } from './archive.ts';
import { removeLeftFolders, type FolderRegistry } from './left-folders.ts';
import { removeOldContexts } from './old-contexts.ts';

export interface SweeperOptions {
  readonly store: Pick<Store, 'runs' | 'tasks'>;
  readonly queue: Pick<RunQueue, 'enqueue' | 'has'>;
  readonly archive: Archive;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a worker may take to answer a cancel before the run is ended without it. */
  readonly cancelGraceMs: number;
  /** How long a run may be unknown to the queue before it is put there again. */
  readonly lostAfterMs: number;
  readonly storage: Pick<BlobStore, 'list' | 'readSmall' | 'stat' | 'delete' | 'listStaged' | 'resume'>;
  /** How long an uploaded context is kept. */
  readonly keepContextsMs: number;
  /** Where the folders of tasks are kept; without it, they stay. */
  readonly folders?: FolderRegistry;
  /** How long a run and its log are kept after the run was made, unless it is archived; undefined: for ever. */
  readonly keepRunsMs: number | undefined;
}

/** How many old runs one sweep removes, and how many at a time. */
const mostRemoved = 1000;
const removedAtOnce = 100;

function age(since: string, clock: Clock): number {
  return clock.now() - Date.parse(since);
}

/** A run that nobody has in hand: its job was lost between the store and the queue, or with a Redis that forgot it. */
async function requeueLost(run: Run, options: SweeperOptions): Promise<void> {
  const { pool, cause, createTime } = run;
  if (age(run.lastUpdatedTime, options.clock) < options.lostAfterMs || (await options.queue.has(run.runId, pool)))
    return;
  options.logger.warn({ runId: run.runId }, 'the queue does not know this run; it is queued again');
  await options.queue.enqueue(run.runId, { pool, lane: laneOf(cause), since: Date.parse(createTime) });
}

/** Runs that are kept no longer, each with its log. Resolves with their number. */
async function removeOldRuns({ store, archive, clock, keepRunsMs }: SweeperOptions): Promise<number> {
  if (keepRunsMs === undefined) return 0;
  const before = new Date(clock.now() - keepRunsMs).toISOString();
  let removed = 0;
  while (removed < mostRemoved) {
    const ids = await store.runs.removeOld(before, removedAtOnce);
    for (const id of ids) await archive.remove(id);
    removed += ids.length;
    if (ids.length < removedAtOnce) break;
  }
  return removed;
}

async function sweepRun(run: Run, options: SweeperOptions): Promise<void> {
  const asked = run.cancelRequested;
  if (asked && age(asked.at, options.clock) > options.cancelGraceMs) {
    await options.store.runs.end(run.runId, 'Canceled', `canceled by ${asked.by}; its worker did not answer`);
    return;
  }
  await requeueLost(run, options);
}

/**
 * Puts right what a lost process left behind: runs that no queue knows, cancels that no worker answered, finished runs whose log was
 * not archived, runs and contexts that are old, folders of deleted tasks. Safe to run in several processes at once.
 */
export async function sweep(options: SweeperOptions): Promise<void> {
  const active = await options.store.runs.listActive();
  for (const run of active) await sweepRun(run, options);
  for (const id of await options.store.runs.listUnarchived()) await options.archive.save(id);
  const removedRuns = await removeOldRuns(options);
  if (removedRuns > 0) options.logger.info({ removed: removedRuns }, 'old runs were removed');
  const wanted = new Set(active.map((run) => run.request.sourceLocation));
  const { storage, clock, keepContextsMs: keepMs } = options;
  const removed = await removeOldContexts(storage, { clock, keepMs, isWanted: (path) => wanted.has(path) });
  if (removed > 0) options.logger.info({ removed }, 'old contexts were removed');
  const { folders: registry } = options;
  if (registry) await removeLeftFolders({ ...options, registry });
}
