import type { CampaignBoard, CampaignNode, CampaignPolicy } from '../../domain/campaign.ts';
import type { Clock } from '../../domain/clock.ts';
import { fail } from '../../domain/failure.ts';
import type { CampaignStore } from '../../store/ports.ts';
import type { GraphCache } from '../graph/graph-cache.ts';
import type { ImageGraph } from '../graph/image-graph.ts';
import type { CampaignRuns, PlatformReader, WantedRun } from '../ports.ts';
import { createBoardCache } from './board-cache.ts';
import { decide } from './decide.ts';
import type { Decision, Input } from './decision.ts';
import { nodeKeyOf } from './node.ts';
import { completeBefore, returnTags, type TagDeps } from './observed-tags.ts';
import { wantRun } from './start.ts';

export interface DeskDeps extends TagDeps {
  readonly campaigns: CampaignStore;
  readonly graph: GraphCache;
  readonly runs: CampaignRuns;
  readonly platformsOf: PlatformReader;
  /** For campaigns that are opened from now on. */
  readonly policy: () => CampaignPolicy;
  readonly clock: Clock;
}

/** What inputs are made from. */
export interface Seen {
  readonly board: CampaignBoard;
  readonly graph: ImageGraph;
  /** ISO 8601, UTC. */
  readonly now: string;
}

/** How often somebody else may be quicker. Each time, somebody has got on. */
const maxTries = 100;

/** Decides on what has happened, and carries the decisions out. */
export class BoardDesk {
  readonly #deps: DeskDeps;
  readonly #boards;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.#boards = createBoardCache(deps.campaigns);
  }

  async see(): Promise<Seen> {
    const [board, graph] = await Promise.all([this.#boards.read(), this.#deps.graph.read()]);
    return { board, graph, now: new Date(this.#deps.clock.now()).toISOString() };
  }

  /** Decides, writes and carries out. `collect` is asked again when somebody else has changed the board meanwhile. */
  async act(collect: (seen: Seen) => Promise<readonly Input[]>): Promise<Decision> {
    for (let count = 0; count < maxTries; count += 1) {
      const seen = await this.see();
      const inputs = await collect(seen);
      const { graph, now, board } = seen;
      const decision = decide(board, inputs, { graph, now, policy: this.#deps.policy() });
      if (decision.isChange && !(await this.#write(seen, decision))) continue;
      await this.return(decision.returns);
      for (const { runId, by } of decision.cancels) await this.#deps.runs.cancel(runId, by);
      await this.start(decision.starts);
      return decision;
    }
    throw fail('conflict', 'the campaigns change too quickly');
  }

  /** Asks for runs that are claimed, and notes them; and for those that become possible thereby. */
  async start(wanted: readonly WantedRun[]): Promise<void> {
    if (wanted.length === 0) return;
    const results = await this.#deps.runs.start(wanted);
    const started = wanted.flatMap((one, at): readonly Input[] => {
      const result = results[at];
      return result === undefined ? [] : [{ kind: 'started', wanted: one, result }];
    });
    await this.act(async () => started);
  }

  /** Points tags back, and notes that. */
  async return(returns: Decision['returns']): Promise<void> {
    for (const { campaign, tags } of returns) {
      await returnTags(this.#deps, tags, new Date(this.#deps.clock.now()).toISOString());
      await this.act(async () => [{ kind: 'returned', campaign, done: tags }]);
    }
  }

  /** The runs that are claimed and were never noted: a process has died between the two. */
  findUnstarted({ board, graph }: Seen, isMeant: (node: CampaignNode) => boolean = () => true): readonly WantedRun[] {
    const isUnstarted = (node: CampaignNode): boolean =>
      node.state.kind === 'running' && node.state.runId === undefined && isMeant(node);
    return [...board.campaigns.values()].flatMap(({ campaign, nodes }) => {
      const unstarted = [...nodes.values()].filter(isUnstarted);
      return unstarted.map((node) => wantRun(campaign.id, node, nodes, graph));
    });
  }

  async #write({ board, graph }: Seen, decision: Decision): Promise<boolean> {
    return this.#boards.commit(board, await completeBefore(this.#deps, decision.change, { graph, board }));
  }
}

/** The node of a task in a campaign on the board. */
export function findNode({ board }: Seen, campaign: string, task: WantedRun['task']) {
  const one = board.campaigns.get(campaign);
  const node = one?.nodes.get(nodeKeyOf(task));
  return one && node ? { campaign: one, node } : undefined;
}
