import type { Logger } from 'pino';
import type { Campaign, CampaignBoard, CampaignNode } from '../../domain/campaign.ts';
import { fail } from '../../domain/failure.ts';
import { isFinal, type Run, type RunId } from '../../domain/run.ts';
import type { ToldUpdate } from '../../queue/ports.ts';
import { BoardDesk, findNode, type DeskDeps, type Seen } from './board-desk.ts';
import type { CampaignAction, Input } from './decision.ts';
import { inParallel } from './in-parallel.ts';
import { createLine } from './line.ts';
import { prepareCommand } from './resumption.ts';
import { describeEnd } from './run-end.ts';
import { listReturns } from './tag-returns.ts';
import { takeTold, type Told } from './told.ts';

export interface ConductorOptions extends DeskDeps {
  readonly logger: Pick<Logger, 'info'>;
}

/**
 * Opens campaigns, starts their runs and brings them to their end. Any number of processes may have one: they agree by the board. Every
 * method can be called again after a rejection (`redis-unavailable`, `storage-unavailable`), and must be, for nothing to be lost; what was
 * done then is not done twice.
 */
export interface Conductor {
  /** Takes up that a tag stands for something else than before, if it does. */
  told(update: ToldUpdate): Promise<Told>;
  /** Takes note of the end of a run. One that is of no campaign, or is not over, is no matter. */
  runEnded(run: Run): Promise<void>;
  /** Sees to what a dead process has left undone, and to what may begin by now. To be called now and then. */
  look(): Promise<void>;
  /**
   * Does what people ask of a campaign, in the name of `by`. Rejects with `not-found`, or with `conflict` when the campaign is not in a state
   * for it.
   */
  command(id: string, action: CampaignAction, by: string): Promise<Campaign>;
}

/** How many runs are looked up, or looked at, at a time. */
const atATime = 16;

/** The node of a run's task in the run's campaign, while it is at work. */
function findRunning(seen: Seen, { cause, task }: Run) {
  if (cause?.kind !== 'image-update' || cause.campaign === undefined || task === undefined) return undefined;
  const found = findNode(seen, cause.campaign, task);
  return found?.node.state.kind === 'running' ? { ...found, runId: found.node.state.runId } : undefined;
}

/** A run whose start was never noted: asking for it again says which one it is. */
async function findStart({ runs }: DeskDeps, desk: BoardDesk, seen: Seen, node: CampaignNode) {
  const [wanted] = desk.findUnstarted(seen, (one) => one === node);
  const [result] = wanted ? await runs.start([wanted]) : [];
  return wanted && result ? { kind: 'started' as const, wanted, result } : undefined;
}

/** What is to be noted of a run that has ended; nothing when its task has a later one in the campaign. */
async function endOf(deps: DeskDeps, desk: BoardDesk, seen: Seen, run: Run): Promise<readonly Input[]> {
  const found = findRunning(seen, run);
  if (found === undefined) return [];
  const { node, campaign } = found;
  const start = found.runId === undefined ? await findStart(deps, desk, seen, node) : undefined;
  const runId = start && 'runId' in start.result ? start.result.runId : found.runId;
  const isIt = runId === run.runId;
  const end = isIt ? [await describeEnd({ ...deps, ...seen }, { run, node, campaign })] : [];
  return [...(start ? [start] : []), ...end];
}

interface AtWork {
  readonly campaign: Campaign;
  readonly node: CampaignNode;
  readonly runId: RunId;
}

function* runsAtWork({ campaigns }: CampaignBoard): Generator<AtWork> {
  for (const { campaign, nodes } of campaigns.values()) {
    for (const node of nodes.values()) {
      if (node.state.kind === 'running' && node.state.runId !== undefined) {
        yield { campaign, node, runId: node.state.runId };
      }
    }
  }
}

/** Looks at a run that should be at work: it may have ended unnoticed, be gone, or not have been told that it is canceled. */
async function lookAtRun({ runs }: DeskDeps, { campaign, node, runId }: AtWork): Promise<Run | Input | undefined> {
  const run = await runs.get(runId);
  if (run === undefined) {
    const end = { kind: 'failed', because: 'its run is gone' } as const;
    return { kind: 'ended', campaign: campaign.id, task: node.task, runId, end, after: node.after };
  }
  if (isFinal(run.status)) return run;
  if (campaign.cancelRequested && !run.cancelRequested) await runs.cancel(runId, campaign.cancelRequested.by);
  return undefined;
}

async function look(deps: DeskDeps, desk: BoardDesk): Promise<void> {
  const { board } = await desk.see();
  await desk.return(listReturns([...board.campaigns.values()].map(({ campaign }) => campaign)));
  await desk.start(desk.findUnstarted(await desk.see()));
  const atWork = [...runsAtWork((await desk.see()).board)];
  const found = await inParallel(atWork, atATime, (one) => lookAtRun(deps, one));
  await desk.act(async (seen) => {
    const ended = await inParallel(found, atATime, async (one) => {
      if (one === undefined) return [];
      return 'kind' in one ? [one] : endOf(deps, desk, seen, one);
    });
    return [...ended.flat(), { kind: 'look' }];
  });
}

/** Makes the conductor of a process. What it is asked for is done one after the other; ends of runs that come meanwhile are taken together. */
export function createConductor(options: ConductorOptions): Conductor {
  const desk = new BoardDesk(options);
  const line = createLine();
  const endAll = line.together(async (runs: readonly Run[]) => {
    await desk.act(async (seen) => {
      const inputs = await inParallel(runs, atATime, (run) => endOf(options, desk, seen, run));
      return inputs.flat();
    });
  });
  const command = async (id: string, action: CampaignAction, by: string): Promise<Campaign> => {
    await desk.act(async (seen) => [await prepareCommand(options, seen, { id, action, by })]);
    options.logger.info({ campaign: id, action, by }, 'a campaign was changed by people');
    const campaign = await options.campaigns.get(id);
    if (campaign === undefined) throw fail('not-found', `there is no campaign ${id}`);
    return campaign;
  };
  const told = async (update: ToldUpdate): Promise<Told> => {
    const result = await takeTold(options, desk, update);
    options.logger.info({ image: update.image, source: update.source, result }, 'a base image was told of');
    return result;
  };
  return {
    told: (update) => line.alone(() => told(update)),
    look: () => line.alone(() => look(options, desk)),
    command: (id, action, by) => line.alone(() => command(id, action, by)),
    async runEnded(run) {
      const isOfCampaign = run.cause?.kind === 'image-update' && run.cause.campaign !== undefined;
      if (isOfCampaign && isFinal(run.status)) await endAll(run);
    },
  };
}
