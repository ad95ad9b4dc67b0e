import { referenceKeyOf, type BaseUpdate, type ImageAtDigest } from '../../domain/base-image.ts';
import type { Campaign, CampaignNode } from '../../domain/campaign.ts';
import type { Rebuild, Rebuilds } from '../impact/impact.ts';
import type { CampaignDraft } from './draft.ts';
import { createNode, movedImages, nodeKeyOf, type NodeKey } from './node.ts';

/** Updates by reference key: of several, the one that was told of last at its origin, in whatever order they came here. */
function newestUpdates(updates: readonly BaseUpdate[]): ReadonlyMap<string, BaseUpdate> {
  const newest = new Map<string, BaseUpdate>();
  for (const update of updates) {
    const key = referenceKeyOf(update.image) ?? '';
    const other = newest.get(key);
    if (other === undefined || Date.parse(other.at) <= Date.parse(update.at)) newest.set(key, update);
  }
  return newest;
}

/** The images that a campaign's tasks are rebuilt for and that do not wait for one of them, each with its newest digest. */
export function sourcesOf({ campaign, nodes }: CampaignDraft): readonly ImageAtDigest[] {
  const updates = newestUpdates(campaign.updates);
  const sources = new Map([...updates].map(([key, { image }]) => [key, image]));
  for (const node of nodes.values()) {
    if (node.state.kind !== 'rebuilt') continue;
    for (const image of movedImages(node)) sources.set(referenceKeyOf(image) ?? '', image);
  }
  return [...sources.values()];
}

/** A node that has not begun as a newer plan has it. What is known of it from earlier tries stays. */
function replan(old: CampaignNode, rebuild: Rebuild): CampaignNode {
  const { before, standing, after, tries, state } = old;
  const planned = createNode(rebuild);
  const isWaiting = state.kind === 'waiting';
  const kept = tries > 0 ? { before, ...(standing && { standing }) } : {};
  return { ...planned, ...kept, after, tries, ...(isWaiting && { state }) };
}

function mergeNode(draft: CampaignDraft, rebuild: Rebuild, isMember: (key: NodeKey) => boolean): void {
  const old = draft.nodes.get(nodeKeyOf(rebuild.task));
  if (old && old.state.kind !== 'waiting' && old.state.kind !== 'skipped') return;
  const needs = rebuild.needs.filter((need) => isMember(nodeKeyOf(need)));
  const planned = { ...rebuild, needs };
  draft.setNode(old ? replan(old, planned) : createNode(planned));
}

function mergeCycles(a: Campaign['cycles'], b: Campaign['cycles']): Campaign['cycles'] {
  return [...new Map([...a, ...b].map((cycle) => [cycle.join(), cycle])).values()];
}

/**
 * Takes a plan into a campaign: nodes that wait or were skipped are planned anew, those that have begun stay as they are, and of new ones those come in
 * that `mayEnter` lets. The nodes that wait afterwards stand on each other without a circle: a planned one needs planned ones only, or such
 * as have begun.
 */
export function mergePlan(draft: CampaignDraft, plan: Rebuilds, mayEnter: (key: NodeKey) => boolean): void {
  const isMember = (key: NodeKey): boolean => draft.nodes.has(key) || mayEnter(key);
  for (const rebuild of plan.tasks) if (isMember(nodeKeyOf(rebuild.task))) mergeNode(draft, rebuild, isMember);
  draft.change({ cycles: mergeCycles(draft.campaign.cycles, plan.cycles) });
}

/** Lets what somebody pushed take the place of what a node that has ended had pushed under the same tag. */
function overrideMade(draft: CampaignDraft, image: ImageAtDigest): void {
  const key = referenceKeyOf(image);
  for (const node of draft.nodes.values()) {
    if (node.state.kind !== 'rebuilt' || !node.after.some((one) => referenceKeyOf(one) === key)) continue;
    draft.setNode({ ...node, after: node.after.map((one) => (referenceKeyOf(one) === key ? image : one)) });
  }
}

/** Notes an update as one of the campaign's. */
export function addUpdate(draft: CampaignDraft, update: BaseUpdate): void {
  const updates = [...draft.campaign.updates, update];
  if ([...newestUpdates(updates).values()].includes(update)) overrideMade(draft, update.image);
  draft.change({ updates });
}
