import type { BaseUpdate } from '../../domain/base-image.ts';
import { findRebuilds, type Rebuilds } from '../impact/impact.ts';
import type { Turn } from './decision.ts';
import { numberOf, type CampaignDraft } from './draft.ts';
import { addUpdate, mergePlan, planAgain } from './merge.ts';
import { createLeftOut, createNode, nodeKeyOf, type NodeKey } from './node.ts';

/** True for a campaign that waits for others, also when people have paused it meanwhile. */
export function isQueued({ campaign }: CampaignDraft): boolean {
  return campaign.status === 'Queued' || campaign.waitsFor.length > 0;
}

/** The campaigns, oldest first, that have one of these tasks to rebuild, or have rebuilt it. */
export function findOverlaps(drafts: readonly CampaignDraft[], keys: ReadonlySet<NodeKey>): readonly CampaignDraft[] {
  const isShared = ({ nodes }: CampaignDraft): boolean =>
    [...keys].some((key) => (nodes.get(key)?.state.kind ?? 'skipped') !== 'skipped');
  return drafts.filter(isShared);
}

/** True when none of the tasks that a campaign shares with these has begun, and it will begin them still. */
function hasBegunNone({ campaign, nodes }: CampaignDraft, keys: ReadonlySet<NodeKey>): boolean {
  if (campaign.cancelRequested) return false;
  return [...keys].every((key) => {
    const kind = nodes.get(key)?.state.kind ?? 'waiting';
    return kind === 'waiting' || kind === 'skipped';
  });
}

/** The campaign that can take an update up: the only one that shares tasks with it, or of several the youngest that waits for others. */
function findTaker(overlaps: readonly CampaignDraft[], keys: ReadonlySet<NodeKey>): CampaignDraft | undefined {
  const able = overlaps.filter((draft) => hasBegunNone(draft, keys));
  if (overlaps.length === 1) return able[0];
  return able.filter(isQueued).at(-1);
}

function fold(turn: Turn, taker: CampaignDraft, update: BaseUpdate, keys: ReadonlySet<NodeKey>): void {
  addUpdate(taker, update);
  const plan = planAgain(turn.draft.graph, taker);
  mergePlan(taker, plan, (key) => keys.has(key));
  for (const node of createLeftOut(plan)) if (!taker.nodes.has(nodeKeyOf(node.task))) taker.setNode(node);
}

function openCampaign(turn: Turn, update: BaseUpdate, plan: Rebuilds, waitsFor: readonly string[]): CampaignDraft {
  const campaign = {
    id: turn.draft.takeId(),
    status: waitsFor.length > 0 ? ('Queued' as const) : ('Running' as const),
    createTime: turn.draft.now,
    updates: [update],
    cycles: plan.cycles,
    policy: turn.policy,
    retriesUsed: 0,
    waitsFor,
    counts: {},
  };
  const nodes = [...plan.tasks.map(createNode), ...createLeftOut(plan)];
  return turn.draft.add({ campaign, nodes: new Map(nodes.map((node) => [nodeKeyOf(node.task), node])) }, true);
}

/** Which tasks that stand on the image itself an update is for. */
export interface UpdateRules {
  readonly only?: ReadonlySet<NodeKey>;
  readonly countsUnknown?: boolean;
}

/**
 * Gives an update to a campaign: to one that has yet to begin all the tasks that it is about, or else to a new one, which waits for those
 * that it shares tasks with. Undefined: no task is to be rebuilt for it.
 */
export function admitUpdate(turn: Turn, update: BaseUpdate, rules: UpdateRules = {}): string | undefined {
  const active = turn.draft.active();
  const known = active.find(({ campaign }) => campaign.updates.some(({ id }) => id === update.id));
  if (known) return known.id;
  const { breakerAfter } = turn.policy;
  const plan = findRebuilds(turn.draft.graph, [update.image], { ...rules, breakerAfter });
  if (plan.tasks.length === 0) return undefined;
  const keys = new Set(plan.tasks.map(({ task }) => nodeKeyOf(task)));
  const overlaps = findOverlaps(active, keys);
  const taker = findTaker(overlaps, keys);
  if (taker === undefined)
    return openCampaign(
      turn,
      update,
      plan,
      overlaps.map(({ id }) => id),
    ).id;
  fold(turn, taker, update, keys);
  const others = overlaps.filter((one) => one !== taker && (!isQueued(one) || numberOf(one) < numberOf(taker)));
  if (isQueued(taker))
    taker.change({ waitsFor: [...new Set([...taker.campaign.waitsFor, ...others.map(({ id }) => id)])] });
  return taker.id;
}
