import type { Logger } from 'pino';
import type { QueueConsumer, RegistryEventQueue } from '../queue/ports.ts';

/** Takes what the registry tells, and says why nothing comes of it: no task watches images yet. */
export async function ignoreRegistryEvents(events: RegistryEventQueue, logger: Logger): Promise<QueueConsumer> {
  return events.consume(
    (event) => {
      const { kind, repository, digest, by } = event;
      const tag = 'tag' in event ? event.tag : undefined;
      logger.info({ kind, repository, tag, digest, by }, 'registry event: ignored, because no task watches this image');
      return Promise.resolve();
    },
    (error) => {
      logger.warn({ err: error }, 'the queue of registry events reports an error');
    },
  );
}
