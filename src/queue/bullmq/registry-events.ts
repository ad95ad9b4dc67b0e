import { createHash } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import type { RegistryEvent } from '../../domain/event.ts';
import type { RegistryEventQueue } from '../ports.ts';
import { connect, guard, keyPrefix, type BullOptions } from './connection.ts';
import { consumerOf } from './consumer.ts';

export interface BullRegistryEventsOptions extends BullOptions {
  /** How often an event is handed out before it is given up; 8 when left out. */
  readonly attempts?: number;
  /** Milliseconds before the second time, doubled each time after; 1000 when left out. */
  readonly backoffMs?: number;
}

const queueName = 'registry-events';
/** Handled events are kept so that an event that is published again is known. */
const keepHandled = { age: 24 * 60 * 60, count: 10_000 };
const keepFailed = { age: 7 * 24 * 60 * 60, count: 1000 };
const concurrency = 4;

/** Ids of jobs may hold no colon, ids of events may. */
function jobIdOf(event: RegistryEvent): string {
  return `event-${createHash('sha256').update(event.id).digest('hex')}`;
}

async function startWorker(options: BullOptions, handle: (event: RegistryEvent) => Promise<void>) {
  const redis = await connect(options, 'wait');
  const worker = new Worker<RegistryEvent>(queueName, (job) => handle(job.data), {
    connection: redis,
    prefix: keyPrefix(options.prefix),
    concurrency,
    runRetryDelay: 500,
  });
  return { redis, worker };
}

/**
 * The registry's events in Redis. Each is handled at least once: handed out again with growing pauses until its handling succeeds, and
 * kept among the failed (bounded in number and age) when it never does.
 * @throws as {@link connect}.
 */
export async function createBullRegistryEvents(options: BullRegistryEventsOptions): Promise<RegistryEventQueue> {
  const redis = await connect(options, 'fail-fast');
  const queue = new Queue<RegistryEvent>(queueName, { connection: redis, prefix: keyPrefix(options.prefix) });
  queue.on('error', () => undefined);
  await guard(redis, () => queue.waitUntilReady());
  const { attempts = 8, backoffMs = 1000 } = options;
  return {
    publish: (event) =>
      guard(redis, async () => {
        await queue.add('event', event, {
          jobId: jobIdOf(event),
          attempts,
          backoff: { type: 'exponential', delay: backoffMs },
          removeOnComplete: keepHandled,
          removeOnFail: keepFailed,
        });
      }),
    async consume(handle, onError) {
      const { redis: own, worker } = await startWorker(options, handle);
      return consumerOf(own, [worker], onError);
    },
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}
