import { referenceKeyOf, type BaseUpdate, type ImageAtDigest } from '../../domain/base-image.ts';
import type { CampaignNode } from '../../domain/campaign.ts';
import { compareBases } from '../graph/platforms.ts';
import { findRebuilds } from '../impact/impact.ts';
import { admitUpdate, findOverlaps } from './admit.ts';
import type { Turn } from './decision.ts';
import type { CampaignDraft } from './draft.ts';
import { mergePlan, planAgain } from './merge.ts';
import { movedImages, nodeKeyOf, type NodeKey } from './node.ts';

function isSameCircle({ campaign }: CampaignDraft, a: CampaignNode, b: CampaignNode): boolean {
  return campaign.cycles.some((cycle) => cycle.includes(a.task) && cycle.includes(b.task));
}

/** True when a campaign sees to it that a task is built on what `maker` has made, or has done so. */
function accountsFor(draft: CampaignDraft, name: NodeKey, key: string, maker: CampaignNode): boolean {
  const node = draft.nodes.get(name);
  if (node === undefined) return false;
  const { kind } = node.state;
  // What is at work is compared with what it should stand on when it ends, and in a circle each is built once.
  if (kind === 'running' || isSameCircle(draft, maker, node)) return true;
  if (!node.bases.some((base) => referenceKeyOf(base) === key)) return false;
  return node.needs.includes(maker.task) || (kind !== 'rebuilt' && kind !== 'unchanged');
}

/** The tasks that stand on a tag, and that are not known to be built on what it stands for now. */
function findBehind({ graph }: Turn['draft'], image: ImageAtDigest): readonly NodeKey[] {
  return [...graph.dependants(referenceKeyOf(image) ?? '')].flatMap(({ task, base, because }) => {
    const { kind } = compareBases(base.used, image);
    const isBuiltOnIt = kind === 'same' || kind === 'unchanged';
    return because === undefined && !isBuiltOnIt ? [task.name] : [];
  });
}

function updateBy(turn: Turn, draft: CampaignDraft, maker: CampaignNode, image: ImageAtDigest): BaseUpdate {
  const id = `${referenceKeyOf(image) ?? ''}@${image.digest}#${draft.id}`;
  const by = maker.state.kind === 'rebuilt' ? { by: `run:${maker.state.runId}` } : {};
  return { id, image, at: turn.draft.now, source: 'registry', ...by };
}

function admitNewcomers(turn: Turn, draft: CampaignDraft, maker: CampaignNode, image: ImageAtDigest): void {
  const key = referenceKeyOf(image) ?? '';
  // Those that the campaign does not account for began to stand on it meanwhile.
  const only = new Set(findBehind(turn.draft, image).filter((name) => !accountsFor(draft, name, key, maker)));
  if (only.size === 0) return;
  const { graph } = turn.draft;
  const keys = new Set(findRebuilds(graph, [image], { only }).tasks.map(({ task }) => nodeKeyOf(task)));
  const isFree = [...keys].every((name) => (draft.nodes.get(name)?.state.kind ?? 'waiting') === 'waiting');
  const others = turn.draft.active().filter((one) => one !== draft);
  if (!isFree || findOverlaps(others, keys).length > 0) {
    admitUpdate(turn, updateBy(turn, draft, maker, image), { only });
    return;
  }
  mergePlan(draft, planAgain(graph, draft, [image]), (name) => keys.has(name));
}

/** A task that needs `maker` and has ended before it: `maker` was repeated. */
function hasEndedBefore(draft: CampaignDraft, maker: CampaignNode, node: CampaignNode): boolean {
  const { kind } = node.state;
  const isEnded = kind === 'rebuilt' || kind === 'unchanged' || kind === 'unneeded';
  return isEnded && node.needs.includes(maker.task) && !isSameCircle(draft, maker, node);
}

/** Lets those tasks of the campaign wait again that have ended, and are not built on what `maker` has made. */
function reviveOutdated(turn: Turn, draft: CampaignDraft, maker: CampaignNode, image: ImageAtDigest): void {
  const key = referenceKeyOf(image);
  for (const name of findBehind(turn.draft, image)) {
    const node = draft.nodes.get(name);
    if (!node || !hasEndedBefore(draft, maker, node)) continue;
    const bases = [...node.bases.filter((base) => referenceKeyOf(base) !== key), image];
    draft.setNode({ ...node, bases, state: { kind: 'waiting' } });
  }
}

/**
 * Sees to it that what stands on an image that `maker` has made is built on it: tasks that began to stand on it meanwhile come into the
 * campaign, or into a later one when they have begun in this or another; tasks that were built on what it made before wait again.
 */
export function takeIn(turn: Turn, draft: CampaignDraft, maker: CampaignNode): void {
  for (const image of movedImages(maker)) {
    reviveOutdated(turn, draft, maker, image);
    admitNewcomers(turn, draft, maker, image);
  }
}

/**
 * The same for all that was made, where tags were pointed back for a while: other runs may have built on what they stood for meanwhile.
 * `standing` are the reference keys of the tags that stand for what the campaign has made.
 */
export function takeInOutdated(turn: Turn, draft: CampaignDraft, standing: ReadonlySet<string>): void {
  for (const maker of [...draft.nodes.values()]) {
    const after = maker.after.filter((image) => standing.has(referenceKeyOf(image) ?? ''));
    if (maker.state.kind === 'rebuilt' && after.length > 0) takeIn(turn, draft, { ...maker, after });
  }
}
