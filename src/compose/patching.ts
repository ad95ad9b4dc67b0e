import type { RegistryEvent } from '../domain/event.ts';
import type { Run } from '../domain/run.ts';
import type { Egress } from '../egress/ports.ts';
import type { Installation } from '../installation.ts';
import { reconcileTaskImages } from '../patch/learn/follow-tasks.ts';
import { createFindUpdate } from '../patch/notice/find-update.ts';
import { createTellEndpoint } from '../patch/notice/tell-endpoint.ts';
import { createOwnPushes } from '../patch/own-pushes.ts';
import type { ForeignRegistries } from '../patch/poll/foreign-registries.ts';
import { createFirstLook } from '../patch/record/first-look.ts';
import { createRunRecorder } from '../patch/record/record-run.ts';
import { createBullPatchQueue } from '../queue/bullmq/patch.ts';
import { createBullRegistryEvents } from '../queue/bullmq/registry-events.ts';
import type {
  EndpointNews,
  HeardUpdate,
  PatchJob,
  PatchQueue,
  QueueConsumer,
  RegistryEventQueue,
  RunNotices,
  RunQueue,
} from '../queue/ports.ts';
import { openTaskSecrets } from '../trigger/sealed-secrets.ts';
import type { SubmitDeps } from '../trigger/submit.ts';
import { periodically } from '../worker/periodically.ts';
import { openCampaigns, type Campaigns } from './campaigns.ts';
import { openForeign, type Foreign } from './foreign-registries.ts';
import { openLearning } from './learning.ts';
import { startPolling } from './polling.ts';

/** How soon what a dead process has left undone is seen. */
const lookMs = 15_000;
const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
const mostRemoved = 100;

export interface PatchingOptions {
  readonly installation: Installation;
  readonly submit: SubmitDeps;
  readonly queue: RunQueue;
  readonly notices: RunNotices;
  readonly egress: Egress;
  /** Is given each event of the registry too. May be given one again; where it rejects, it will be. */
  readonly alsoTell: (event: RegistryEvent) => Promise<void>;
}

interface Patching extends PatchingOptions {
  readonly campaigns: Campaigns;
  readonly patches: PatchQueue;
  readonly events: RegistryEventQueue;
  readonly registries: ForeignRegistries;
  readonly foreign: Foreign;
}

function warn({ logger }: Installation, message: string): (error: unknown) => void {
  return (error) => {
    logger.warn({ err: error }, message);
  };
}

/** Pushes to our own registry, told as changes of what tags stand for; all its events, told to others. Neither holds up the other. */
function consumeEvents({ installation, patches, events, alsoTell }: Patching): Promise<QueueConsumer> {
  const { config, logger, store } = installation;
  const pass = createOwnPushes({
    registryHost: config.registryHost,
    getRun: (id) => store.runs.get(id),
    publish: (job) => patches.publish(job),
    onIgnored: ({ kind, repository, digest, by }, because) => {
      logger.info({ kind, repository, digest, by, because }, 'registry event: ignored');
    },
  });
  const work = async (event: RegistryEvent): Promise<void> => {
    const all = await Promise.allSettled([alsoTell(event), pass(event)]);
    for (const one of all) if (one.status === 'rejected') throw one.reason;
  };
  return events.consume(work, warn(installation, 'the queue of registry events reports an error'));
}

/** What runs come to: first what is known of their images, then the campaign that they belong to. */
function consumeEnds({ installation, campaigns, notices, patches }: Patching): Promise<QueueConsumer> {
  const { clock, config, store } = installation;
  const { conductor, tags, platformsOf } = campaigns;
  const lookFirst = createFirstLook({
    observed: (images) => store.baseImages.observed(images),
    registryHost: config.registryHost,
    publish: (job) => patches.publish(job),
    clock,
  });
  const onRecorded = async (run: Run): Promise<void> => {
    await conductor.runEnded(run);
    await lookFirst(run);
  };
  const record = createRunRecorder({ ...store, tags, platformsOf, onRecorded });
  const onError = warn(installation, 'the end of a run could not be worked off for base images this time');
  return notices.consume('base-images', record, onError);
}

/** Finds what was heard of a tag, and gives it to the campaigns. */
function openTold({ installation, campaigns, registries }: Patching): (heard: HeardUpdate) => Promise<void> {
  const { clock, config, logger, store } = installation;
  const findUpdate = createFindUpdate({
    readGraph: () => campaigns.graph.read(),
    observed: (images) => store.baseImages.observed(images),
    registryHost: config.registryHost,
    tags: campaigns.tags,
    ...{ registries, clock },
    onIgnored: (image, because) => {
      logger.info({ image, because }, 'what was told of an image is ignored');
    },
  });
  return async (heard) => {
    const update = await findUpdate(heard);
    if (update) await campaigns.conductor.told(update);
  };
}

function openTell({ installation, egress }: Patching): (news: EndpointNews) => Promise<void> {
  const { key, logger, store } = installation;
  return createTellEndpoint({
    tasks: store.tasks,
    openSecrets: (sealed) => openTaskSecrets(key, sealed),
    egress,
    onRefused: (task, because) => {
      logger.warn({ task, because }, 'the endpoint of a task will not be told of base images');
    },
  });
}

async function consumeJobs(patching: Patching): Promise<QueueConsumer> {
  const { installation, campaigns, patches, egress, foreign } = patching;
  const learn = await openLearning({ installation, egress, foreign, access: campaigns.access });
  const [told, tell] = [openTold(patching), openTell(patching)];
  const work = (job: PatchJob): Promise<void> => {
    switch (job.kind) {
      case 'learn':
        return learn(job);
      case 'told':
        return told(job.update);
      case 'look':
        return campaigns.conductor.look();
      case 'tell':
        return tell(job.news);
    }
  };
  return patches.consume(work, warn(installation, 'work of base-image patching did not succeed this time'));
}

async function forgetOld({ installation }: Patching): Promise<void> {
  const { clock, config, store } = installation;
  const keepMs = config.keepRunsMs ?? 3650 * dayMs;
  await store.campaigns.removeOld(new Date(clock.now() - keepMs).toISOString(), mostRemoved);
}

/** Learns what tasks stand on, and opens and brings on campaigns, until it is closed. */
export async function startPatching(options: PatchingOptions): Promise<QueueConsumer> {
  const { installation } = options;
  const { bull, store } = installation;
  const patches = await createBullPatchQueue(bull);
  const events = await createBullRegistryEvents(bull);
  const foreign = openForeign(installation, options.egress);
  const { registries } = foreign;
  const campaigns = openCampaigns({ ...options, patches, registries });
  const patching = { ...options, campaigns, patches, events, registries, foreign };
  const consumers = [await consumeJobs(patching), await consumeEvents(patching), await consumeEnds(patching)];
  const polling = startPolling(installation, { registries, patches });
  const looking = periodically(
    lookMs,
    () => campaigns.conductor.look(),
    warn(installation, 'the campaigns could not be looked after this time'),
  );
  const tidying = periodically(
    hourMs,
    async () => {
      await reconcileTaskImages({ baseImages: store.baseImages, tasks: store.tasks, queue: patches });
      await forgetOld(patching);
    },
    warn(installation, 'what is known of base images could not be tidied this time'),
  );
  return {
    async close() {
      await Promise.all([polling.close(), looking.close(), tidying.close()]);
      await Promise.all(consumers.map((consumer) => consumer.close()));
      await Promise.all([patches.close(), events.close()]);
    },
  };
}
