import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueConsumer } from '../ports.ts';
import { reportOutageOnce } from './connection.ts';

/**
 * Makes a consumer of workers and the connection that they have to themselves; closing it ends both. `onError` is told of each outage once,
 * and of jobs that fail unless `onFailed` sees to those.
 */
export function consumerOf<T>(
  redis: Redis,
  workers: readonly Worker<T>[],
  onError: (error: Error) => void,
  onFailed = (_job: Job<T> | undefined, error: Error): void => {
    onError(error);
  },
): QueueConsumer {
  const onOutage = reportOutageOnce(redis, onError);
  for (const worker of workers) worker.on('error', onOutage).on('failed', onFailed);
  return {
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
      redis.disconnect();
    },
  };
}
