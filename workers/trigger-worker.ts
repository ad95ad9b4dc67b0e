import { closeOnSignal, openInstallation } from '../src/installation.ts';
import { createBullRegistryEvents } from '../src/queue/bullmq/registry-events.ts';
import { createBullQueue } from '../src/queue/bullmq/run-queue.ts';
import { periodically } from '../src/worker/periodically.ts';
import { sweep } from '../src/worker/sweeper.ts';

const sweepMs = 15_000;
const hourMs = 60 * 60_000;

const installation = await openInstallation('trigger-worker');
const { logger, clock, store, storage, archive, bull } = installation;
const queue = await createBullQueue(bull);
const events = await createBullRegistryEvents(bull);
const onError = (error: unknown): void => {
  logger.warn({ err: error }, 'the queue of registry events reports an error');
};

const consumer = await events.consume((event) => {
  const { kind, repository, digest } = event;
  const tag = 'tag' in event ? event.tag : undefined;
  logger.info(
    { kind, repository, tag, digest, by: event.by },
    'registry event: ignored, because no task watches this image',
  );
  return Promise.resolve();
}, onError);

const sweeping = periodically(
  sweepMs,
  () =>
    sweep({
      store,
      queue,
      archive,
      storage,
      clock,
      logger,
      cancelGraceMs: 60_000,
      lostAfterMs: 30_000,
      keepContextsMs: 24 * hourMs,
    }),
  (error) => {
    logger.warn({ err: error }, 'sweeping did not succeed this time');
  },
);
logger.info('consuming registry events, sweeping');
closeOnSignal(logger, async () => {
  await sweeping.close();
  await consumer.close();
  await Promise.all([queue.close(), events.close(), store.close()]);
});
