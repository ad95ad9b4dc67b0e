import type { Installation } from '../installation.ts';
import { createConductor, type Conductor } from '../patch/campaign/conductor.ts';
import { createGraphCache, type GraphCache } from '../patch/graph/graph-cache.ts';
import { createAskForeign, createReadForeign } from '../patch/notice/find-update.ts';
import { tellOfStarts } from '../patch/notice/tell-endpoint.ts';
import type { ForeignRegistries } from '../patch/poll/foreign-registries.ts';
import { createPlatformReader } from '../patch/platforms/platform-reader.ts';
import type { CampaignRuns, PlatformReader, TagKeeper } from '../patch/ports.ts';
import type { OwnRegistry } from '../patch/own-registry.ts';
import { createTagKeeper } from '../patch/tags.ts';
import type { PatchJob, PatchQueue, RunNotices, RunQueue } from '../queue/ports.ts';
import { createSigner } from '../secret/sign.ts';
import { issueSystemCredential, systemPurpose } from '../secret/system-credential.ts';
import { cancelRun } from '../trigger/cancel.ts';
import { startImageUpdates } from '../trigger/image-update.ts';
import type { SubmitDeps } from '../trigger/submit.ts';

export interface CampaignsOptions {
  readonly installation: Installation;
  readonly submit: SubmitDeps;
  readonly queue: RunQueue;
  readonly notices: RunNotices;
  readonly patches: PatchQueue;
  readonly registries: ForeignRegistries;
}

/** What a process that sees to campaigns works with. */
export interface Campaigns {
  readonly conductor: Conductor;
  readonly graph: GraphCache;
  readonly tags: TagKeeper;
  readonly platformsOf: PlatformReader;
  /** How our registry is reached by the installation itself. */
  readonly access: OwnRegistry;
}

/** How the installation itself uses its registry: in the name of campaigns, whose pushes start nothing. */
function openAccess({ config, key, clock }: Installation): Campaigns['access'] {
  const signer = createSigner(key, systemPurpose);
  return {
    registryHost: config.registryHost,
    url: config.patching.registryUrl ?? config.url,
    credential: () => issueSystemCredential(signer, clock, 'campaign:tags'),
  };
}

function openRuns({ installation, submit, queue, notices }: CampaignsOptions): CampaignRuns {
  const { clock, store } = installation;
  const deps = { ...submit, runs: store.runs, queue, notices, tasks: store.tasks, now: () => clock.now() };
  return {
    start: (wanted) => startImageUpdates(deps, wanted),
    get: (id) => store.runs.get(id),
    cancel: async (id, by) => {
      await cancelRun(deps, id, by);
    },
  };
}

/** Opens the campaigns for a process; any number of processes may have them open. */
export function openCampaigns(options: CampaignsOptions): Campaigns {
  const { config, clock, logger, store } = options.installation;
  const access = openAccess(options.installation);
  const graph = createGraphCache(store.baseImages);
  // Whoever asks first need not wait until all records are read; that Redis is away is said elsewhere.
  graph.read().catch(() => undefined);
  const foreign = { readGraph: () => graph.read(), registries: options.registries };
  const askForeign = createAskForeign(foreign);
  const platformsOf = createPlatformReader({ ...access, readForeign: createReadForeign(foreign), clock });
  const tags = createTagKeeper({ ...access, askForeign });
  const telling = { graph, publish: (job: PatchJob) => options.patches.publish(job), now: () => clock.now() };
  const conductor = createConductor({
    campaigns: store.campaigns,
    baseImages: store.baseImages,
    runs: tellOfStarts(openRuns(options), telling),
    policy: () => config.patching.campaign,
    ...{ graph, tags, platformsOf, clock, logger },
  });
  return { conductor, graph, tags, platformsOf, access };
}
