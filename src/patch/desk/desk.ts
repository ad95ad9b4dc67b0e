import type { Campaign, CampaignNode, CampaignPolicy } from '../../domain/campaign.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { fail } from '../../domain/failure.ts';
import type { PatchQueue } from '../../queue/ports.ts';
import type { CampaignStore, RunStore, WorkerDirectory } from '../../store/ports.ts';
import type { CampaignAction } from '../campaign/decision.ts';
import { inParallel } from '../campaign/in-parallel.ts';
import { findImpact, findRebuilds } from '../impact/impact.ts';
import { addPlatforms } from '../platforms/add-platforms.ts';
import type { PlatformReader } from '../ports.ts';
import { listStanding, type StandingDeps } from './list-standing.ts';
import type { CampaignReport, CampaignTask, ImpactReport, PatchingDesk } from './ports.ts';
import { arrangeNodes, estimateRemaining } from './progress.ts';

export interface PatchingDeskOptions extends StandingDeps {
  readonly campaigns: Pick<CampaignStore, 'get' | 'list' | 'nodes'>;
  readonly runs: Pick<RunStore, 'get'>;
  readonly workers: Pick<WorkerDirectory, 'list'>;
  readonly queue: Pick<PatchQueue, 'publish'>;
  /** Obeys at once. Rejects with `not-found` or `conflict`. */
  readonly conductor: { command(id: string, action: CampaignAction, by: string): Promise<unknown> };
  readonly policy: () => CampaignPolicy;
  readonly platformsOf: PlatformReader;
  readonly clock: Clock;
}

const runsAtOnce = 100;

/** How many runs of a campaign can be at work at a time: its own limit, or as many as all live workers have places for. */
async function findConcurrency({ workers }: PatchingDeskOptions, limit: number): Promise<number> {
  const all = await workers.list();
  const places = all.reduce((sum, { concurrency }) => sum + concurrency, 0);
  return Math.max(1, places === 0 ? limit : Math.min(limit, places));
}

async function assess(options: PatchingDeskOptions, image: ImageIdentity): Promise<ImpactReport> {
  const policy = options.policy();
  const concurrency = await findConcurrency(options, policy.concurrency);
  const whole = await addPlatforms(await options.graph.read(), image, options.platformsOf);
  const graph = await options.graph.read();
  const impact = findImpact(graph, [whole], { concurrency, breakerAfter: policy.breakerAfter });
  return { ...impact, concurrency };
}

async function notify(options: PatchingDeskOptions, image: ImageIdentity, by: string | undefined): Promise<number> {
  const { graph, policy, queue, clock, platformsOf } = options;
  const whole = await addPlatforms(await graph.read(), image, platformsOf);
  const { tasks } = findRebuilds(await graph.read(), [whole], { breakerAfter: policy().breakerAfter });
  const at = new Date(clock.now()).toISOString();
  await queue.publish({ kind: 'told', update: { image, source: 'manual', at, ...(by !== undefined && { by }) } });
  return tasks.filter(({ skippedBecause }) => skippedBecause === undefined).length;
}

async function addRun(
  { runs }: PatchingDeskOptions,
  node: CampaignNode & Pick<CampaignTask, 'level'>,
): Promise<CampaignTask> {
  const id = 'runId' in node.state ? node.state.runId : undefined;
  const run = id === undefined ? undefined : await runs.get(id);
  if (run === undefined) return node;
  const { runId, status, startTime, finishTime } = run;
  const times = { ...(startTime !== undefined && { startTime }), ...(finishTime !== undefined && { finishTime }) };
  return { ...node, run: { runId, status, ...times } };
}

async function report(options: PatchingDeskOptions, campaign: Campaign): Promise<CampaignReport> {
  const nodes = arrangeNodes(await options.campaigns.nodes(campaign.id));
  const tasks = await inParallel(nodes, runsAtOnce, (node) => addRun(options, node));
  const concurrency = await findConcurrency(options, campaign.policy.concurrency);
  const remainingMs = estimateRemaining(campaign, tasks, { now: options.clock.now(), concurrency });
  return { campaign, tasks, ...(remainingMs !== undefined && { remainingMs }) };
}

async function findReport(options: PatchingDeskOptions, id: string): Promise<CampaignReport | undefined> {
  const campaign = await options.campaigns.get(id);
  return campaign && report(options, campaign);
}

/** Answers what people ask of base images and campaigns, and does what they want, in any process. */
export function createPatchingDesk(options: PatchingDeskOptions): PatchingDesk {
  return {
    list: (query) => listStanding(options, query),
    impact: (image) => assess(options, image),
    notify: (image, by) => notify(options, image, by),
    campaigns: (query) => options.campaigns.list(query),
    campaign: (id) => findReport(options, id),
    async command(id, action, by) {
      await options.conductor.command(id, action, by);
      const found = await findReport(options, id);
      if (found) return found;
      throw fail('not-found', `there is no campaign ${id}`);
    },
  };
}
