import { referenceKeyOf, type ImageAtDigest } from '../../domain/base-image.ts';
import type { CampaignNode, CampaignWithNodes, NodeState } from '../../domain/campaign.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';
import type { TaskName } from '../../domain/task.ts';
import { formatUnchanged } from '../graph/platforms.ts';
import type { NotRebuilt, Rebuild, Rebuilds } from '../impact/impact.ts';
import { lastWave } from '../impact/order.ts';

/** What a campaign's nodes are known by. */
export type NodeKey = string;

export function nodeKeyOf(task: TaskName): NodeKey {
  return task.toLowerCase();
}

export type Nodes = CampaignWithNodes['nodes'];

/** True when something is still to happen to a node by itself. */
export function isOpen({ kind }: NodeState): boolean {
  return kind === 'waiting' || kind === 'running';
}

/** True when nothing but time keeps a waiting node from being started: its last run has failed just now. */
export function isPostponed({ state }: CampaignNode, now: string): boolean {
  return state.kind === 'waiting' && state.notBefore !== undefined && Date.parse(state.notBefore) > Date.parse(now);
}

export function toImageAtDigest(image: ImageIdentity, digest: Digest): ImageAtDigest {
  const { registry, repository, tag } = image;
  return { registry, repository, ...(tag !== undefined && { tag }), digest };
}

/** A node for a task that is to be rebuilt. */
export function createNode(rebuild: Rebuild): CampaignNode {
  const { task, wave, needs, onlyReads, bases, images, durationMs, skippedBecause } = rebuild;
  return {
    task,
    wave,
    needs,
    ...(onlyReads !== undefined && { onlyReads }),
    bases,
    before: images.flatMap((image) => (image.digest === undefined ? [] : [toImageAtDigest(image, image.digest)])),
    after: [],
    tries: 0,
    state: skippedBecause === undefined ? { kind: 'waiting' } : { kind: 'skipped', because: skippedBecause },
    ...(durationMs !== undefined && { durationMs }),
  };
}

/** Why a task of a campaign is left alone after all. */
export function reasonToSkip({ because, unchangedFor }: NotRebuilt): string {
  return unchangedFor === undefined ? `it ${because}` : formatUnchanged(unchangedFor);
}

/** Nodes for the tasks whose platforms a plan's images have not changed for: people see that they were thought of. */
export function createLeftOut({ tasks, notRebuilt }: Rebuilds): readonly CampaignNode[] {
  // In a wave that there is anyway: nothing is to wait for them, or to be held for their sake.
  const wave = tasks[0]?.wave ?? lastWave;
  return notRebuilt.flatMap((one): readonly CampaignNode[] => {
    if (one.unchangedFor === undefined) return [];
    const state = { kind: 'skipped', because: reasonToSkip(one) } as const;
    return [{ task: one.task, wave, needs: [], bases: [], before: [], after: [], tries: 0, state }];
  });
}

/** What a tag of the node stood for before; undefined: nobody knows. */
export function digestBefore({ before }: CampaignNode, image: ImageIdentity): Digest | undefined {
  const key = referenceKeyOf(image);
  return before.find((one) => referenceKeyOf(one) === key)?.digest;
}

/** True for a task that a node waits for, and does not depend on: it only reads what that makes, while it is built. */
export function onlyReads(node: CampaignNode, task: TaskName): boolean {
  return node.onlyReads?.includes(task) === true;
}

/** The tags that a node's runs have moved. */
export function movedImages(node: CampaignNode): readonly ImageAtDigest[] {
  return node.after.filter((image) => digestBefore(node, image) !== image.digest);
}

/** What the tags stand for that the tasks a node needs have moved, by reference key. */
function madeFor(node: CampaignNode, nodes: Nodes): ReadonlyMap<string, Digest> {
  const made = new Map<string, Digest>();
  for (const need of node.needs) {
    const maker = nodes.get(nodeKeyOf(need));
    if (maker?.state.kind !== 'rebuilt') continue;
    for (const image of movedImages(maker)) made.set(referenceKeyOf(image) ?? '', image.digest);
  }
  return made;
}

/** True when an image that a node is rebuilt for has changed, once those that it needs have ended. */
export function hasChangedBase(node: CampaignNode, nodes: Nodes): boolean {
  if (node.bases.some(({ digest }) => digest !== undefined)) return true;
  return wantedImages(node, nodes).length > 0;
}

/** The images that a node is rebuilt for, with their digests; those that have not changed, or not yet, are left out. */
export function wantedImages(node: CampaignNode, nodes: Nodes): readonly ImageAtDigest[] {
  const made = madeFor(node, nodes);
  return node.bases.flatMap((base) => {
    const digest = made.get(referenceKeyOf(base) ?? '') ?? base.digest;
    return digest === undefined ? [] : [toImageAtDigest(base, digest)];
  });
}
