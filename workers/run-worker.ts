import { openRunMeans } from '../src/compose/run-means.ts';
import { closeOnSignal, openInstallation } from '../src/installation.ts';
import { announceBeforeArchive, createStartAnnouncer } from '../src/notify/announce.ts';
import { createBullConsumer } from '../src/queue/bullmq/run-consumer.ts';
import { createBullRunNotices } from '../src/queue/bullmq/run-notices.ts';
import { startCleanUp } from '../src/worker/clean-up.ts';
import { startRunWorker } from '../src/worker/run-worker.ts';

const installation = await openInstallation('run-worker');
const { config, logger, clock, store, archive, bull } = installation;
const { worker: settings } = config;
const name = `${settings.name}-${process.pid}`;
const { tempRoot, engine, runner, means } = await openRunMeans(installation);
const notices = await createBullRunNotices(bull);
const announced = announceBeforeArchive(archive, store.runs, notices);

const worker = await startRunWorker({
  ...settings,
  ...means,
  name,
  beatMs: 3000,
  archive: (id) => announced.save(id),
  onStarted: createStartAnnouncer(notices, (error, runId) => {
    logger.warn({ err: error, runId }, 'nobody could be told that the run has started');
  }),
  consume: (options) => createBullConsumer({ ...bull, lockMs: 15_000, stalledCheckMs: 5000, ...options }),
});
const cleanUp = startCleanUp({
  runs: store.runs,
  directory: tempRoot,
  sweepEngine: (liveRuns) => {
    const keptWorkspaces = { maxAgeMs: settings.keepFailedMs, most: 10 };
    return runner.sweep({ liveRuns, keptWorkspaces, keepImages: settings.keepImages });
  },
  clock,
  logger,
});
logger.info({ name, engine: engine.host, concurrency: settings.concurrency }, 'taking runs');
closeOnSignal(logger, async () => {
  for (const part of [worker, cleanUp]) await part.close();
  await runner.settle();
  for (const part of [notices, store]) await part.close();
  engine.close();
});
