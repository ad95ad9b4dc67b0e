import { Queue } from 'bullmq';
import type { RunId } from '../../domain/run.ts';
import type { RunQueue } from '../ports.ts';
import { connect, guard, keyPrefix, type BullOptions } from './connection.ts';

export const runQueueName = 'runs';

/** What Redis holds of a queued run: nothing but its name. */
export interface RunJob {
  readonly runId: RunId;
}

/** Ids of jobs may not be numbers alone and may hold no colon. */
export function jobIdOf(id: RunId): string {
  return `run-${id}`;
}

/** How many waiting runs are looked at for a position. */
const lookedAt = 10_000;

/**
 * The producers' end of the queue of runs. A job is gone as soon as its run is worked off, so the same run can be queued again.
 * @throws as {@link connect}.
 */
export async function createBullQueue(options: BullOptions): Promise<RunQueue> {
  const redis = await connect(options, 'fail-fast');
  const queue = new Queue<RunJob>(runQueueName, { connection: redis, prefix: keyPrefix(options.prefix) });
  // Every failed call rejects; what the connection has to say besides is no news.
  queue.on('error', () => undefined);
  await guard(redis, () => queue.waitUntilReady());
  return {
    enqueue: (id) =>
      guard(redis, async () => {
        const jobOptions = { jobId: jobIdOf(id), attempts: 1, removeOnComplete: true, removeOnFail: true };
        await queue.add('run', { runId: id }, jobOptions);
      }),
    remove: (id) =>
      guard(redis, async () => {
        const job = await queue.getJob(jobIdOf(id));
        return job !== undefined && (await queue.remove(jobIdOf(id))) === 1;
      }),
    position: (id) =>
      guard(redis, async () => {
        const waiting = await queue.getRanges(['wait'], 0, lookedAt - 1, true);
        const index = waiting.indexOf(jobIdOf(id));
        return index === -1 ? undefined : index + 1;
      }),
    has: (id) => guard(redis, async () => (await queue.getJob(jobIdOf(id))) !== undefined),
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}
