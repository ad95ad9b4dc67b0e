import { referenceKeyOf, type BaseUpdate, type ImageAtDigest } from '../../domain/base-image.ts';
import type { Campaign, CampaignNode } from '../../domain/campaign.ts';
import type { ImageGraph } from '../graph/image-graph.ts';
import { findRebuilds, type Rebuild, type Rebuilds } from '../impact/impact.ts';
import type { CampaignDraft } from './draft.ts';
import { createNode, isOpen, movedImages, nodeKeyOf, type NodeKey } from './node.ts';

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

/**
 * What a campaign rebuilds by what is known now, and for further images. What is still to happen in it stays planned, also where its run has
 * been recorded already: what stands on it is to wait until that has been looked at.
 */
export function planAgain(graph: ImageGraph, draft: CampaignDraft, images: readonly ImageAtDigest[] = []): Rebuilds {
  const { breakerAfter } = draft.campaign.policy;
  const unfinished = new Set([...draft.nodes].flatMap(([key, { state }]) => (isOpen(state) ? [key] : [])));
  return findRebuilds(graph, [...sourcesOf(draft), ...images], { breakerAfter, unfinished });
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
  const reads = rebuild.onlyReads?.filter((need) => isMember(nodeKeyOf(need)));
  const planned = { ...rebuild, needs, ...(reads && { onlyReads: reads }) };
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

/** True when a node waits for another, also by way of others. */
function isBehind(draft: CampaignDraft, start: NodeKey, other: NodeKey): boolean {
  const seen = new Set([start]);
  // It grows on the way.
  for (const key of seen) for (const need of draft.nodes.get(key)?.needs ?? []) seen.add(nodeKeyOf(need));
  return seen.has(other);
}

/**
 * Puts nodes that wait again behind what they only read, as it is known now: that may have come into the campaign after they had begun.
 */
export function orderAgain(graph: ImageGraph, draft: CampaignDraft, keys: ReadonlySet<NodeKey>): void {
  for (const { task, onlyReads = [] } of planAgain(graph, draft).tasks) {
    const key = nodeKeyOf(task);
    const node = keys.has(key) ? draft.nodes.get(key) : undefined;
    if (node?.state.kind !== 'waiting') continue;
    const reads = onlyReads.filter((need) => {
      const other = draft.nodes.get(nodeKeyOf(need));
      const isInTime = other !== undefined && other.wave <= node.wave && !isBehind(draft, nodeKeyOf(need), key);
      return isInTime && !node.needs.includes(need);
    });
    if (reads.length === 0) continue;
    draft.setNode({ ...node, needs: [...node.needs, ...reads], onlyReads: [...(node.onlyReads ?? []), ...reads] });
  }
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
