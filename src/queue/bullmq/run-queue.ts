import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RunId } from '../../domain/run.ts';
import { inSlices } from '../../domain/slices.ts';
import type { QueuePlace, RunQueue } from '../ports.ts';
import { poolKey, priorityOf } from '../priority.ts';
import { connect, guard, keyPrefix, type BullOptions } from './connection.ts';

/** The queue of a pool. Names of queues may hold no colon. */
export function runQueueName(pool: string | undefined): string {
  const key = poolKey(pool);
  return key === '' ? 'runs' : `runs-${encodeURIComponent(key)}`;
}

/** What Redis holds of a queued run: nothing but its name. */
export interface RunJob {
  readonly runId: RunId;
}

/** Ids of jobs may not be numbers alone and may hold no colon. */
export function jobIdOf(id: RunId): string {
  return `run-${id}`;
}

/** A run that is to be queued. */
export interface QueuedRun {
  readonly id: RunId;
  readonly place?: QueuePlace;
}

/** The job of a run that is queued at `now` (milliseconds): done once, and forgotten as soon as it is over. */
export function jobOf({ id, place = {} }: QueuedRun, now: number) {
  const opts = { jobId: jobIdOf(id), attempts: 1, removeOnComplete: true, removeOnFail: true };
  return { name: 'run', data: { runId: id }, opts: { ...opts, priority: priorityOf(place, now) } };
}

/** How many runs go in one message to Redis. */
const queuedAtOnce = 100;

async function addAll(queue: Queue<RunJob>, runs: readonly QueuedRun[]): Promise<readonly RunId[]> {
  const now = Date.now();
  await queue.addBulk(runs.map((run) => jobOf(run, now)));
  return runs.map(({ id }) => id);
}

function groupByQueue(runs: readonly QueuedRun[], queueOf: (pool: string | undefined) => Queue<RunJob>) {
  const groups = new Map<Queue<RunJob>, QueuedRun[]>();
  for (const run of runs) {
    const queue = queueOf(run.place?.pool);
    const group = groups.get(queue);
    if (group) group.push(run);
    else groups.set(queue, [run]);
  }
  return groups;
}

/** The queues of the pools on one connection, each made when it is first asked for. */
function openPools(redis: Redis, prefix: string) {
  const queues = new Map<string, Queue<RunJob>>();
  const queueOf = (pool: string | undefined): Queue<RunJob> => {
    const name = runQueueName(pool);
    const known = queues.get(name);
    if (known) return known;
    const queue = new Queue<RunJob>(name, { connection: redis, prefix: keyPrefix(prefix) });
    // Every failed call rejects; what the connection has to say besides is no news.
    queue.on('error', () => undefined);
    queues.set(name, queue);
    return queue;
  };
  return { queueOf, close: () => Promise.all(Array.from(queues.values(), (queue) => queue.close())) };
}

/** Before the runs that have a priority go those that were handed back, the last of the list first. */
async function positionIn(redis: Redis, queue: Queue<RunJob>, jobId: string): Promise<number | undefined> {
  const [list, ranked] = [queue.toKey('wait'), queue.toKey('prioritized')];
  const looks = redis.multi().llen(list).lpos(list, jobId).zrank(ranked, jobId);
  const [length, index, rank] = ((await looks.exec()) ?? []).map(([, value]) => value as number | null);
  if (typeof index === 'number') return (length ?? 0) - index;
  return typeof rank === 'number' ? (length ?? 0) + rank + 1 : undefined;
}

/**
 * The producers' end of the queue of runs. A job is gone as soon as its run is worked off, so the same run can be queued again.
 * @throws as {@link connect}.
 */
export async function createBullQueue(options: BullOptions): Promise<RunQueue> {
  const redis = await connect(options, 'fail-fast');
  const { queueOf, close } = openPools(redis, options.prefix);
  await guard(redis, () => queueOf(undefined).waitUntilReady());
  return {
    enqueue: (id, place = {}) =>
      guard(redis, async () => {
        const { name, data, opts } = jobOf({ id, place }, Date.now());
        await queueOf(place.pool).add(name, data, opts);
      }),
    async enqueueMany(runs) {
      for (const [queue, ofPool] of groupByQueue(runs, queueOf)) {
        await inSlices(ofPool, queuedAtOnce, (slice) => guard(redis, () => addAll(queue, slice)));
      }
    },
    remove: (id, pool) =>
      guard(redis, async () => {
        const queue = queueOf(pool);
        const job = await queue.getJob(jobIdOf(id));
        return job !== undefined && (await queue.remove(jobIdOf(id))) === 1;
      }),
    position: (id, pool) => guard(redis, () => positionIn(redis, queueOf(pool), jobIdOf(id))),
    has: (id, pool) => guard(redis, async () => (await queueOf(pool).getJob(jobIdOf(id))) !== undefined),
    async close() {
      await close();
      redis.disconnect();
    },
  };
}
