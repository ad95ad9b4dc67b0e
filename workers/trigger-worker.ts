import { closeOnSignal, openInstallation } from '../src/installation.ts';
import { createEgress } from '../src/egress/egress.ts';
import { announceBeforeArchive } from '../src/notify/announce.ts';
import { createBullDeliveries } from '../src/queue/bullmq/deliveries.ts';
import { createBullRunNotices } from '../src/queue/bullmq/run-notices.ts';
import { createBullQueue } from '../src/queue/bullmq/run-queue.ts';
import { createBullTimers } from '../src/queue/bullmq/timers.ts';
import { periodically } from '../src/worker/periodically.ts';
import { sweep } from '../src/worker/sweeper.ts';
import { startInstallationNotifications } from '../src/compose/notifications.ts';
import { startPatching } from '../src/compose/patching.ts';
import { createSubmitDeps, startCommitStatuses, startGitDeliveries } from '../src/compose/git-deliveries.ts';
import { createFolderRegistry } from '../src/compose/task-folders.ts';
import { startTimers } from '../src/compose/timers.ts';

const sweepMs = 15_000;
const hourMs = 60 * 60_000;

const installation = await openInstallation('trigger-worker');
const { config, logger, clock, store, storage, archive, bull } = installation;
const queue = await createBullQueue(bull);
const notices = await createBullRunNotices(bull);
const deliveries = await createBullDeliveries(bull);
const egress = createEgress({ allow: config.egressAllow });
const submit = createSubmitDeps(installation, queue, notices);
const git = await startGitDeliveries({ installation, submit, queue, deliveries, egress });
const statuses = await startCommitStatuses({ installation, notices, egress });
const timers = await startTimers({ installation, submit, timers: await createBullTimers({ ...bull, clock }) });
const notifying = await startInstallationNotifications(installation, { notices, egress });
const alsoTell = notifying.tellOfRegistry;
const patching = await startPatching({ installation, submit, queue, notices, egress, alsoTell });
const times = {
  cancelGraceMs: 60_000,
  lostAfterMs: 30_000,
  keepContextsMs: 24 * hourMs,
  keepRunsMs: config.keepRunsMs,
};
const announced = announceBeforeArchive(archive, store.runs, notices);
const folders = createFolderRegistry(installation);
const sweeping = periodically(
  sweepMs,
  async () => {
    await git.sweep();
    await sweep({ store, queue, archive: announced, storage, clock, logger, folders, ...times });
  },
  (error) => {
    logger.warn({ err: error }, 'sweeping did not succeed this time');
  },
);
logger.info('starting runs, patching, sweeping');
closeOnSignal(logger, async () => {
  await sweeping.close();
  await Promise.all([patching.close(), git.close(), statuses.close(), timers.close(), notifying.close()]);
  await Promise.all([queue.close(), deliveries.close(), notices.close(), store.close()]);
});
