import type { NotificationQueue, QueueConsumer, RunNotices } from '../../queue/ports.ts';
import { createDeliverer, type DeliverOptions } from './deliver.ts';
import { createFanOut, type FanOutOptions } from './fan-out.ts';

export interface StartOptions extends DeliverOptions, FanOutOptions {
  readonly notices: Pick<RunNotices, 'consume'>;
  readonly queue: NotificationQueue;
  readonly onError: (error: Error) => void;
}

/** Begins to tell notifications of runs: takes notices, makes deliveries of them, and makes these. Several processes may do so at once. */
export async function startNotifications(options: StartOptions): Promise<QueueConsumer> {
  const { notices, queue, onError } = options;
  const telling = await notices.consume('notifications', createFanOut(options), onError);
  const delivering = await queue.consume(createDeliverer(options), onError);
  return {
    async close() {
      await Promise.all([telling.close(), delivering.close()]);
    },
  };
}
