import { createHash } from 'node:crypto';
import { Queue, Worker, type JobsOptions } from 'bullmq';
import { gather } from '../../domain/gather.ts';
import type { DeliveryConsumerOptions, DeliveryQueue, QueueConsumer } from '../ports.ts';
import { connect, guard, keyPrefix, type BullOptions } from './connection.ts';
import { consumerOf } from './consumer.ts';

export interface BullDeliveriesOptions extends BullOptions {
  /** How often a delivery is handed out before it is given up; 12 when left out: within about an hour. */
  readonly attempts?: number;
  /** Milliseconds before the second time, doubled each time after, shortened at random by up to half; 1000 when left out. */
  readonly backoffMs?: number;
  /** How long a consumer may be silent before its deliveries go to another; 10 s when left out. */
  readonly lockMs?: number;
}

interface DeliveryJob {
  readonly id: string;
}

const queueName = 'deliveries';
const concurrency = 8;
/** Deliveries of the same moment are queued together. */
const mostAtOnce = 32;
/** How often a delivery may lose its worker before it is given up. */
const mostStalls = 5;

/** Ids of jobs may hold no colon, and may not be numbers alone. */
function jobIdOf(id: string): string {
  return `delivery-${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}

/** The store knows what has arrived and what became of it: a job is gone as soon as it is over. */
function jobOptions(id: string, { attempts = 12, backoffMs = 1000 }: BullDeliveriesOptions): JobsOptions {
  return {
    jobId: jobIdOf(id),
    attempts,
    backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 },
    removeOnComplete: true,
    removeOnFail: true,
  };
}

async function startConsumer(
  options: BullDeliveriesOptions,
  consumer: DeliveryConsumerOptions,
): Promise<QueueConsumer> {
  const { handle, giveUp, onError } = consumer;
  const { attempts = 12, lockMs = 10_000 } = options;
  const redis = await connect(options, 'wait');
  const worker = new Worker<DeliveryJob>(queueName, (job) => handle(job.data.id), {
    connection: redis,
    prefix: keyPrefix(options.prefix),
    concurrency,
    maxStalledCount: mostStalls,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    runRetryDelay: 200,
  });
  return consumerOf(redis, [worker], onError, (job, error) => {
    onError(error);
    const isOver = job !== undefined && (job.attemptsMade >= attempts || job.stalledCounter > mostStalls);
    if (isOver) giveUp(job.data.id, error).catch(onError);
  });
}

/**
 * Deliveries to webhooks in Redis.
 * @throws as {@link connect}.
 */
export async function createBullDeliveries(options: BullDeliveriesOptions): Promise<DeliveryQueue> {
  const redis = await connect(options, 'fail-fast');
  const queue = new Queue<DeliveryJob>(queueName, { connection: redis, prefix: keyPrefix(options.prefix) });
  queue.on('error', () => undefined);
  await guard(redis, () => queue.waitUntilReady());
  const enqueue = gather(async (ids: readonly string[]) => {
    await queue.addBulk(ids.map((id) => ({ name: 'delivery', data: { id }, opts: jobOptions(id, options) })));
    return ids;
  }, mostAtOnce);
  return {
    enqueue: (id) =>
      guard(redis, async () => {
        await enqueue(id);
      }),
    consume: (consumer) => startConsumer(options, consumer),
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}
