import { Queue, Worker, type JobsOptions } from 'bullmq';
import { noticeListeners, type NoticeListener, type RunNotice, type RunNotices } from '../ports.ts';
import { connect, guard, keyPrefix, reportOutageOnce, type BullOptions } from './connection.ts';

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
  const queues = noticeListeners.map((listener) => {
    const queue = new Queue<RunNotice>(queueNameOf(listener), {
      connection: redis,
      prefix: keyPrefix(options.prefix),
    });
    queue.on('error', () => undefined);
    return queue;
  });
  await guard(redis, () => Promise.all(queues.map((queue) => queue.waitUntilReady())));
  return {
    publish: ({ runId, kind, attempt }) =>
      guard(redis, async () => {
        const notice = { runId, kind, attempt };
        await Promise.all(queues.map((queue) => queue.add(kind, notice, jobOptions(notice, options))));
      }),
    async consume(listener, handle, onError) {
      const { redis: own, worker } = await startWorker(options, listener, handle);
      worker.on('error', reportOutageOnce(own, onError));
      worker.on('failed', (_job, error) => {
        onError(error);
      });
      return {
        async close() {
          await worker.close();
          own.disconnect();
        },
      };
    },
    async close() {
      await Promise.all(queues.map((queue) => queue.close()));
      redis.disconnect();
    },
  };
}
