import type { RegistryEvent } from '../domain/event.ts';
import type { Run } from '../domain/run.ts';
import type { Egress } from '../egress/ports.ts';
import { registryId, runDocument } from '../http/documents.ts';
import type { Installation } from '../installation.ts';
import { startNotifications } from '../notify/notifications/start.ts';
import type { Origin } from '../notify/webhooks/azure.ts';
import { createRegistryFanOut } from '../notify/webhooks/fan-out.ts';
import { createBullNotifications } from '../queue/bullmq/notifications.ts';
import type { QueueConsumer, RunNotices } from '../queue/ports.ts';

/** Where the events of this installation's registry come from. */
export function originOf({ config }: Pick<Installation, 'config'>): Origin {
  return { registryHost: config.registryHost, registryId: registryId(config.name), url: config.url };
}

export interface InstallationNotifications extends QueueConsumer {
  /** Has the webhooks told that want an event of the registry. May be repeated; rejects when Redis is away. */
  readonly tellOfRegistry: (event: RegistryEvent) => Promise<void>;
}

/** Tells notifications of runs, and webhooks what they are given, with what this installation has, until it is closed. */
export async function startInstallationNotifications(
  installation: Installation,
  { notices, egress }: { readonly notices: RunNotices; readonly egress: Egress },
): Promise<InstallationNotifications> {
  const { config, logger, key, clock, store, bull } = installation;
  const { notifications } = store;
  const queue = await createBullNotifications(bull);
  const consumer = await startNotifications({
    notices,
    queue,
    ...{ egress, key, clock },
    runs: store.runs,
    notifications,
    source: `${config.url}/api/v1`,
    describeRun: (run: Run) => (runDocument(config.name, run) as { readonly properties: object }).properties,
    onError: (error) => {
      logger.warn({ err: error }, 'the queue of notifications reports an error');
    },
  });
  return {
    tellOfRegistry: createRegistryFanOut({ notifications, queue, clock, origin: originOf(installation) }),
    async close() {
      await consumer.close();
      await queue.close();
    },
  };
}
