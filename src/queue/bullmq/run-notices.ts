import { Queue, Worker, type JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { inSlices } from '../../domain/slices.ts';
import { noticeKinds, noticeListeners, type NoticeListener, type RunNotice, type RunNotices } from '../ports.ts';
import { connect, guard, keyPrefix, type BullOptions } from './connection.ts';
import { consumerOf } from './consumer.ts';

export interface BullRunNoticesOptions extends BullOptions {
  /** How often a notice is handed out to a listener before it is given up; 10 when left out: within about an hour. */
  readonly attempts?: number;
  /** Milliseconds before the second time, doubled each time after, shortened at random by up to half; 5000 when left out. */
  readonly backoffMs?: number;
}

/** Handled notices are kept so that one that is published again is known. */
const keepHandled = { age: 24 * 60 * 60, count: 10_000 };
const keepFailed = { age: 7 * 24 * 60 * 60, count: 1000 };
const concurrency = 8;
/** How often a notice may lose its worker before it counts as failed. */
const mostStalls = 10;

function queueNameOf(listener: NoticeListener): string {
  return `notices-${listener}`;
}

function jobOptions(notice: RunNotice, { attempts = 10, backoffMs = 5000 }: BullRunNoticesOptions): JobsOptions {
  return {
    jobId: `${notice.runId}-${notice.kind}-${notice.attempt}`,
    attempts,
    backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 },
    removeOnComplete: keepHandled,
    removeOnFail: keepFailed,
  };
}

/** How many notices go in one message to Redis: others have work for it meanwhile. */
const toldAtOnce = 100;

async function addAll(
  queue: Queue<RunNotice> | undefined,
  notices: readonly RunNotice[],
  options: BullRunNoticesOptions,
): Promise<readonly RunNotice[]> {
  const jobs = notices.map(({ runId, kind, attempt }) => {
    const data = { runId, kind, attempt };
    return { name: kind, data, opts: jobOptions(data, options) };
  });
  await queue?.addBulk(jobs);
  return notices;
}

function openQueues(redis: Redis, prefix: string): ReadonlyMap<NoticeListener, Queue<RunNotice>> {
  const open = (listener: NoticeListener): Queue<RunNotice> => {
    const queue = new Queue<RunNotice>(queueNameOf(listener), { connection: redis, prefix: keyPrefix(prefix) });
    queue.on('error', () => undefined);
    return queue;
  };
  return new Map(noticeListeners.map((listener) => [listener, open(listener)]));
}

async function startWorker(
  options: BullOptions,
  listener: NoticeListener,
  handle: (notice: RunNotice) => Promise<void>,
) {
  const redis = await connect(options, 'wait');
  const worker = new Worker<RunNotice>(queueNameOf(listener), (job) => handle(job.data), {
    connection: redis,
    prefix: keyPrefix(options.prefix),
    concurrency,
    maxStalledCount: mostStalls,
    runRetryDelay: 500,
  });
  return { redis, worker };
}

/**
 * Notices of runs in Redis: a queue for each listener.
 * @throws as {@link connect}.
 */
export async function createBullRunNotices(options: BullRunNoticesOptions): Promise<RunNotices> {
  const redis = await connect(options, 'fail-fast');
  const queues = openQueues(redis, options.prefix);
  const all = Array.from(queues.values());
  await guard(redis, () => Promise.all(all.map((queue) => queue.waitUntilReady())));
  const publishMany: RunNotices['publishMany'] = async (notices, listeners = noticeListeners) => {
    for (const listener of listeners) {
      const own = notices.filter(({ kind }) => noticeKinds[listener].includes(kind));
      await inSlices(own, toldAtOnce, (slice) => guard(redis, () => addAll(queues.get(listener), slice, options)));
    }
  };
  return {
    publish: (notice) =>
      guard(redis, async () => {
        const told = noticeListeners.filter((listener) => noticeKinds[listener].includes(notice.kind));
        await Promise.all(told.map((listener) => addAll(queues.get(listener), [notice], options)));
      }),
    publishMany,
    async consume(listener, handle, onError) {
      const { redis: own, worker } = await startWorker(options, listener, handle);
      return consumerOf(own, [worker], onError);
    },
    async close() {
      await Promise.all(all.map((queue) => queue.close()));
      redis.disconnect();
    },
  };
}
