import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { lineOf, patchKeyOf, patchLines, patchPause, patchTries, type PatchLine } from '../patch-job.ts';
import type { PatchJob, PatchQueue, QueueConsumer } from '../ports.ts';
import { connect, guard, keyPrefix, type BullOptions } from './connection.ts';
import { consumerOf } from './consumer.ts';

export interface BullPatchOptions extends BullOptions {
  /** Milliseconds before the second try of a job, doubled each time after, shortened at random by up to half; 1000 when left out. */
  readonly backoffMs?: number;
  /** How long a consumer may be silent before its jobs go to another; 10 s when left out. */
  readonly lockMs?: number;
}

const concurrency: Readonly<Record<PatchLine, number>> = { campaigns: 1, asking: 4, learning: 4 };
const keepFailed = { age: 7 * 24 * 60 * 60, count: 1000 };
/** A job is given up when its handling fails, not when its consumers die. */
const mostStalls = 1000;

function queueNameOf(line: PatchLine): string {
  return `patch-${line}`;
}

/** What is published again while it is worked on is kept by the library, and queued when that work is over. */
function jobOptions(job: PatchJob) {
  return {
    deduplication: { id: patchKeyOf(job), keepLastIfActive: true },
    attempts: patchTries[job.kind],
    backoff: { type: 'custom' },
    removeOnComplete: true,
    removeOnFail: keepFailed,
  };
}

function openQueues(redis: Redis, prefix: string): Readonly<Record<PatchLine, Queue<PatchJob>>> {
  const open = (line: PatchLine): Queue<PatchJob> => {
    const queue = new Queue<PatchJob>(queueNameOf(line), { connection: redis, prefix: keyPrefix(prefix) });
    queue.on('error', () => undefined);
    return queue;
  };
  return { campaigns: open('campaigns'), asking: open('asking'), learning: open('learning') };
}

type Handle = Parameters<PatchQueue['consume']>[0];

function startWorker(line: PatchLine, connection: Redis, handle: Handle, options: BullPatchOptions) {
  const { backoffMs = 1000, lockMs = 10_000 } = options;
  return new Worker<PatchJob>(queueNameOf(line), (job) => handle(job.data), {
    connection,
    prefix: keyPrefix(options.prefix),
    concurrency: concurrency[line],
    maxStalledCount: mostStalls,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    runRetryDelay: 200,
    settings: {
      backoffStrategy: (tries, _type, _error, job) =>
        patchPause((job?.data as PatchJob | undefined)?.kind ?? 'told', tries, backoffMs, Math.random()),
    },
  });
}

async function startConsumer(
  options: BullPatchOptions,
  handle: Handle,
  onError: (error: Error) => void,
): Promise<QueueConsumer> {
  const redis = await connect(options, 'wait');
  const workers = patchLines.map((line) => startWorker(line, redis, handle, options));
  return consumerOf(redis, workers, onError);
}

/**
 * Work of base-image patching in Redis: a queue for campaigns, one for what registries are asked, and one for what is learned of tasks.
 * @throws as {@link connect}.
 */
export async function createBullPatchQueue(options: BullPatchOptions): Promise<PatchQueue> {
  const redis = await connect(options, 'fail-fast');
  const queues = openQueues(redis, options.prefix);
  const all = Object.values(queues);
  await guard(redis, () => Promise.all(all.map((queue) => queue.waitUntilReady())));
  return {
    publish: (job) =>
      guard(redis, async () => {
        await queues[lineOf(job)].add(job.kind, job, jobOptions(job));
      }),
    consume: (handle, onError) => startConsumer(options, handle, onError),
    async close() {
      await Promise.all(all.map((queue) => queue.close()));
      redis.disconnect();
    },
  };
}
