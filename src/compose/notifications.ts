import type { Run } from '../domain/run.ts';
import type { Egress } from '../egress/ports.ts';
import { runDocument } from '../http/documents.ts';
import type { Installation } from '../installation.ts';
import { startNotifications } from '../notify/notifications/start.ts';
import { createBullNotifications } from '../queue/bullmq/notifications.ts';
import type { QueueConsumer, RunNotices } from '../queue/ports.ts';

/** Tells notifications of runs, with what this installation has, until it is closed. */
export async function startInstallationNotifications(
  { config, logger, key, clock, store, bull }: Installation,
  { notices, egress }: { readonly notices: RunNotices; readonly egress: Egress },
): Promise<QueueConsumer> {
  const queue = await createBullNotifications(bull);
  const consumer = await startNotifications({
    notices,
    queue,
    ...{ egress, key, clock },
    runs: store.runs,
    notifications: store.notifications,
    source: `${config.url}/api/v1`,
    describeRun: (run: Run) => (runDocument(config.name, run) as { readonly properties: object }).properties,
    onError: (error) => {
      logger.warn({ err: error }, 'the queue of notifications reports an error');
    },
  });
  return {
    async close() {
      await consumer.close();
      await queue.close();
    },
  };
}
