import {
  isOver,
  type BoardChange,
  type Campaign,
  type CampaignBoard,
  type CampaignNode,
  type CampaignWithNodes,
  type NodeState,
  type TagReturn,
} from '../../domain/campaign.ts';
import type { ImageGraph } from '../graph/image-graph.ts';
import { nodeKeyOf, type NodeKey, type Nodes } from './node.ts';

type Counts = Partial<Record<NodeState['kind'], number>>;

function countStates(nodes: Nodes): Counts {
  const counts: Counts = {};
  for (const { state } of nodes.values()) counts[state.kind] = (counts[state.kind] ?? 0) + 1;
  return counts;
}

/** A campaign while something is decided about it. */
export class CampaignDraft {
  readonly #before: Nodes;
  readonly #changed = new Set<NodeKey>();
  /** The nodes whose runs have ended in this turn. */
  readonly ended = new Set<NodeKey>();
  #nodes: Map<NodeKey, CampaignNode> | undefined;
  #campaign: Campaign;
  #isTouched: boolean;
  #isStirred: boolean;

  constructor({ campaign, nodes }: CampaignWithNodes, isNew = false) {
    this.#before = nodes;
    this.#campaign = campaign;
    this.#isTouched = isNew;
    this.#isStirred = isNew;
    if (isNew) for (const key of nodes.keys()) this.#changed.add(key);
  }

  get campaign(): Campaign {
    return this.#campaign;
  }

  get id(): string {
    return this.#campaign.id;
  }

  get nodes(): Nodes {
    return this.#nodes ?? this.#before;
  }

  /** True when it is other than before. */
  get isTouched(): boolean {
    return this.#isTouched;
  }

  /** True when it is to be worked out what follows for it. */
  get isStirred(): boolean {
    return this.#isStirred;
  }

  /** Asks for what follows to be worked out. */
  look(): void {
    this.#isStirred = true;
  }

  takeStir(): boolean {
    const isStirred = this.#isStirred;
    this.#isStirred = false;
    return isStirred;
  }

  set(campaign: Campaign): void {
    this.#campaign = campaign;
    this.#touch();
  }

  change(changes: Partial<Campaign>): void {
    this.set({ ...this.#campaign, ...changes });
  }

  /** Remembers that tags are to be pointed back. */
  addReturns(returns: readonly TagReturn[]): void {
    if (returns.length > 0) this.change({ tagReturns: [...(this.#campaign.tagReturns ?? []), ...returns] });
  }

  setNode(node: CampaignNode): void {
    const key = nodeKeyOf(node.task);
    this.#nodes ??= new Map(this.#before);
    this.#nodes.set(key, node);
    this.#changed.add(key);
    this.#touch();
  }

  setState(key: NodeKey, state: NodeState): void {
    const node = this.nodes.get(key);
    if (node) this.setNode({ ...node, state });
  }

  #touch(): void {
    this.#isTouched = true;
    this.#isStirred = true;
  }

  finished(): CampaignWithNodes {
    return { campaign: { ...this.#campaign, counts: countStates(this.nodes) }, nodes: this.nodes };
  }

  changedNodes(): readonly CampaignNode[] {
    return [...this.#changed].flatMap((key) => this.nodes.get(key) ?? []);
  }
}

/** The board while something is decided, and what the decision knows. */
export class BoardDraft {
  readonly graph: ImageGraph;
  /** ISO 8601, UTC. */
  readonly now: string;
  readonly #campaigns = new Map<string, CampaignDraft>();
  #nextNumber: number;

  constructor(board: CampaignBoard, graph: ImageGraph, now: string) {
    this.graph = graph;
    this.now = now;
    this.#nextNumber = board.nextNumber;
    for (const [id, one] of board.campaigns) this.#campaigns.set(id, new CampaignDraft(one));
  }

  /** Those that are not over, oldest first. */
  active(): readonly CampaignDraft[] {
    const all = [...this.#campaigns.values()].filter(({ campaign }) => !isOver(campaign.status));
    return all.sort((a, b) => numberOf(a) - numberOf(b));
  }

  get(id: string): CampaignDraft | undefined {
    return this.#campaigns.get(id);
  }

  /** The id that a new campaign gets. */
  takeId(): string {
    return `cp${String(this.#nextNumber++)}`;
  }

  /** Takes in a campaign that is new, or that was over. */
  add(one: CampaignWithNodes, isNew: boolean): CampaignDraft {
    const draft = new CampaignDraft(one, isNew);
    this.#campaigns.set(draft.id, draft);
    return draft;
  }

  touched(): readonly CampaignDraft[] {
    return [...this.#campaigns.values()].filter(({ isTouched }) => isTouched);
  }

  change(): BoardChange {
    const touched = this.touched();
    return {
      campaigns: touched.map((draft) => draft.finished().campaign),
      nodes: new Map(touched.map((draft) => [draft.id, draft.changedNodes()])),
    };
  }
}

/** The board as it is when a change to it is written. */
export function applyChange(board: CampaignBoard, { campaigns, nodes }: BoardChange): CampaignBoard {
  const all = new Map(board.campaigns);
  let { nextNumber } = board;
  for (const campaign of campaigns) {
    const merged = new Map(all.get(campaign.id)?.nodes);
    for (const node of nodes.get(campaign.id) ?? []) merged.set(nodeKeyOf(node.task), node);
    all.set(campaign.id, { campaign, nodes: merged });
    nextNumber = Math.max(nextNumber, numberOf(campaign) + 1);
  }
  const open = [...all].filter(([, { campaign }]) => !isOver(campaign.status));
  open.sort(([, a], [, b]) => numberOf(a.campaign) - numberOf(b.campaign));
  return { version: board.version + 1, nextNumber, campaigns: new Map(open) };
}

/** A campaign's number: older ones have smaller ones. */
export function numberOf({ id }: { readonly id: string }): number {
  return Number(id.slice(2));
}
