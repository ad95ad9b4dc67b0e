import { Queue, Worker } from 'bullmq';
import { pauseAfter, TryAgain } from '../notification-pause.ts';
import { notificationPauses, type NotificationJob, type NotificationQueue } from '../ports.ts';
import { connect, guard, keyPrefix, type BullOptions } from './connection.ts';
import { consumerOf } from './consumer.ts';

export interface BullNotificationsOptions extends BullOptions {
  /** Milliseconds before each try after the first; {@link notificationPauses} when left out. */
  readonly pauses?: readonly number[];
}

const queueName = 'notifications';
/** A receiver that answers nothing holds one of these for as long as a try may take. */
const concurrency = 16;
const mostStalls = 100;

type Handle = Parameters<NotificationQueue['consume']>[0];

async function startWorker(options: BullNotificationsOptions, handle: Handle) {
  const redis = await connect(options, 'wait');
  const { pauses = notificationPauses } = options;
  const worker = new Worker<NotificationJob>(
    queueName,
    async (job) => {
      const done = await handle(job.data, job.attemptsMade + 1 >= (job.opts.attempts ?? 1));
      if (done !== 'done') throw new TryAgain(done);
    },
    {
      connection: redis,
      prefix: keyPrefix(options.prefix),
      concurrency,
      maxStalledCount: mostStalls,
      runRetryDelay: 500,
      settings: { backoffStrategy: (tries, _type, error) => pauseAfter(tries, error, pauses, Math.random()) },
    },
  );
  return { redis, worker };
}

/**
 * Deliveries to notifications in Redis. What is done or given up leaves nothing behind: the store knows what became of it.
 * @throws as {@link connect}.
 */
export async function createBullNotifications(options: BullNotificationsOptions): Promise<NotificationQueue> {
  const redis = await connect(options, 'fail-fast');
  const queue = new Queue<NotificationJob>(queueName, { connection: redis, prefix: keyPrefix(options.prefix) });
  queue.on('error', () => undefined);
  await guard(redis, () => queue.waitUntilReady());
  const { pauses = notificationPauses } = options;
  return {
    enqueue: ({ notification, deliveryId, replay }) =>
      guard(redis, async () => {
        await queue.add(
          'delivery',
          { notification, deliveryId, replay },
          {
            jobId: `${deliveryId}-${replay}-${notification}`,
            attempts: pauses.length + 1,
            backoff: { type: 'custom' },
            removeOnComplete: true,
            removeOnFail: true,
          },
        );
      }),
    async consume(handle, onError) {
      const { redis: own, worker } = await startWorker(options, handle);
      return consumerOf(own, [worker], onError, (_job, error) => {
        if (!(error instanceof TryAgain)) onError(error);
      });
    },
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}
