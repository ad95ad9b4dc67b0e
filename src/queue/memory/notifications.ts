import { pauseAfter, TryAgain } from '../notification-pause.ts';
import { notificationPauses, type NotificationJob, type NotificationQueue } from '../ports.ts';
import { MemoryJobs } from './retry.ts';

/** Deliveries to notifications in this process's memory; `pauses` as in {@link notificationPauses}, which they are when left out. */
export function createMemoryNotificationQueue(pauses: readonly number[] = notificationPauses): NotificationQueue {
  const attempts = pauses.length + 1;
  const pauseMs = (made: number, error: unknown): number => pauseAfter(made, error, pauses, 0.5);
  const jobs = new MemoryJobs<NotificationJob>({ attempts, pauseMs });
  return {
    async enqueue(job) {
      jobs.add(`${job.deliveryId}-${job.replay}-${job.notification}`, job);
    },
    async consume(handle, onError) {
      return jobs.consume({
        async handle(job, attempt) {
          const done = await handle(job, attempt >= attempts);
          if (done !== 'done') throw new TryAgain(done);
        },
        onError: (error) => {
          if (!(error instanceof TryAgain)) onError(error);
        },
      });
    },
    async close() {
      jobs.close();
    },
  };
}
