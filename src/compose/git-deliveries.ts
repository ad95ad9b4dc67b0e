import type { Egress } from '../egress/ports.ts';
import { contextKey } from '../http/options.ts';
import { createPlanCheck } from '../http/plan-check.ts';
import type { Installation } from '../installation.ts';
import { createStatusReports } from '../notify/commit-status/report.ts';
import { createForgeSender } from '../notify/forge/send.ts';
import { createFollowed } from '../patch/graph/followed-tags.ts';
import type { DeliveryQueue, RunNotices, RunQueue } from '../queue/ports.ts';
import { checkLocation } from '../source/check-location.ts';
import { createDeliverySweep } from '../trigger/delivery-sweep.ts';
import { createGitTrigger } from '../trigger/git-trigger.ts';
import { createFindMoved } from '../trigger/moved-repositories.ts';
import { openTaskSecrets } from '../trigger/sealed-secrets.ts';
import type { TaskRunDeps } from '../trigger/run-of-task.ts';
import type { SubmitDeps } from '../trigger/submit.ts';

/** What every trigger of this process makes runs with. */
export function createSubmitDeps(
  { config, key, store, storage, logger }: Pick<Installation, 'config' | 'key' | 'store' | 'storage' | 'logger'>,
  queue: RunQueue,
  notices?: Pick<RunNotices, 'publish'>,
): SubmitDeps & TaskRunDeps {
  return {
    runs: store.runs,
    queue,
    notices,
    workers: store.workers,
    key,
    findFollowed: createFollowed(store.baseImages),
    checkPlan: createPlanCheck(config.registryHost),
    checkLocation,
    hasUpload: async (path) => (await storage.stat(contextKey(path))) !== undefined,
    onWarning: (message, error) => {
      logger.warn({ err: error }, message);
    },
  };
}

export interface GitDeliveriesOptions {
  readonly installation: Pick<Installation, 'clock' | 'logger' | 'store'>;
  readonly submit: SubmitDeps & TaskRunDeps;
  readonly queue: RunQueue;
  readonly deliveries: DeliveryQueue;
  readonly egress: Egress;
}

/** Works off what git forges deliver, until it is closed; `sweep` queues what was recorded and never reached the queue. */
export async function startGitDeliveries({ installation, submit, queue, deliveries, egress }: GitDeliveriesOptions) {
  const { clock, logger, store } = installation;
  const findMoved = createFindMoved({ egress, clock });
  const trigger = createGitTrigger({
    ...submit,
    runs: store.runs,
    queue,
    tasks: store.tasks,
    deliveries: store.deliveries,
    findMoved,
  });
  const consumer = await deliveries.consume({
    handle: (id) => trigger.work(id),
    giveUp: (id, error) => trigger.giveUp(id, error),
    onError: (error) => {
      logger.warn({ err: error }, 'a delivery could not be worked off this time');
    },
  });
  const sweep = createDeliverySweep({ deliveries: store.deliveries, queue: deliveries, clock });
  return { sweep, close: () => consumer.close() };
}

export interface CommitStatusesOptions {
  readonly installation: Pick<Installation, 'config' | 'key' | 'logger' | 'store'>;
  readonly notices: RunNotices;
  readonly egress: Egress;
}

/** Puts the state of runs on the commits that they build, until it is closed. */
export async function startCommitStatuses({ installation, notices, egress }: CommitStatusesOptions) {
  const { config, key, logger, store } = installation;
  const report = createStatusReports({
    runs: store.runs,
    tasks: store.tasks,
    openSecrets: (sealed) => openTaskSecrets(key, sealed),
    send: createForgeSender(egress),
    url: config.url,
    onDropped: (runId, because) => {
      logger.info({ runId, because }, 'the commit gets no status');
    },
  });
  return notices.consume('commit-statuses', report, (error) => {
    logger.warn({ err: error }, 'a commit status could not be reported this time');
  });
}
