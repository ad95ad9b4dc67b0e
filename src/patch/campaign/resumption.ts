import { referenceKeyOf, type ImageAtDigest } from '../../domain/base-image.ts';
import { isOver, type CampaignNode, type CampaignWithNodes } from '../../domain/campaign.ts';
import type { CampaignStore } from '../../store/ports.ts';
import type { CampaignAction, Input } from './decision.ts';
import type { DeskDeps, Seen } from './board-desk.ts';
import { inParallel } from './in-parallel.ts';
import { digestBefore, movedImages, nodeKeyOf, type NodeKey } from './node.ts';
import { returnTags } from './observed-tags.ts';
import { findEntry, standingMade } from './returned-records.ts';

/** A campaign that is over, as it is kept. */
async function findOver(campaigns: CampaignStore, id: string): Promise<CampaignWithNodes | undefined> {
  const [campaign, nodes] = await Promise.all([campaigns.get(id), campaigns.nodes(id)]);
  return campaign && { campaign, nodes: new Map(nodes.map((node) => [nodeKeyOf(node.task), node])) };
}

/** True when tags of the campaign may have been pointed back, and it is to go on. */
function mayHaveHeld({ campaign, nodes }: CampaignWithNodes, action: CampaignAction): boolean {
  if (action !== 'resume' && action !== 'retry') return false;
  if (campaign.status !== 'Held' && !isOver(campaign.status)) return false;
  return new Set([...nodes.values()].map(({ wave }) => wave)).size > 1;
}

interface Repeated {
  readonly lost: Set<NodeKey>;
  readonly standing: Set<string>;
}

/** Points a tag that was pointed back to what a node has made of it, and keeps what that stands on; true: this call has done it. */
async function repeatTag(deps: DeskDeps, node: CampaignNode, image: ImageAtDigest, now: string): Promise<boolean> {
  const from = digestBefore(node, image);
  if (from === undefined) return false;
  const standing = findEntry(await standingMade(deps.runs, node), image);
  const [isRepeated = false] = await returnTags(
    deps,
    [{ image, from, task: node.task, ...(standing && { standing }) }],
    now,
  );
  return isRepeated;
}

/** Sees to it that the tags of a node stand for what it has made, where they do or were pointed back. */
async function repeatNode(deps: DeskDeps, node: CampaignNode, now: string, repeated: Repeated): Promise<void> {
  for (const image of movedImages(node)) {
    const { digest, ...tag } = image;
    const stands = await deps.tags.digestOf(tag);
    const isMade = stands === digest;
    const isBack = stands !== undefined && stands === digestBefore(node, tag);
    // Also where it stands for that already: a process that has died may have pointed it there, and kept nothing.
    const isRepeated = (isMade || isBack) && (await repeatTag(deps, node, image, now));
    if (isMade || isRepeated) repeated.standing.add(referenceKeyOf(tag) ?? '');
    else if (isBack) repeated.lost.add(nodeKeyOf(node.task));
  }
}

/** Points tags that were pointed back to what the campaign has made of them. */
async function repeatTags(deps: DeskDeps, { nodes }: CampaignWithNodes, now: string): Promise<Repeated> {
  const repeated: Repeated = { lost: new Set(), standing: new Set() };
  const rebuilt = [...nodes.values()].filter(({ state }) => state.kind === 'rebuilt');
  await inParallel(rebuilt, 8, (node) => repeatNode(deps, node, now, repeated));
  // What has changed of the records counts for what is decided next.
  await deps.graph.read();
  return repeated;
}

/** Puts a command together with what it needs to know. */
export async function prepareCommand(
  deps: DeskDeps,
  { board, now }: Seen,
  command: { readonly id: string; readonly action: CampaignAction; readonly by: string },
): Promise<Input> {
  const active = board.campaigns.get(command.id);
  const over = active ? undefined : await findOver(deps.campaigns, command.id);
  const campaign = active ?? over;
  const repeated = campaign && mayHaveHeld(campaign, command.action) && (await repeatTags(deps, campaign, now));
  return { kind: 'command', ...command, ...(over && { over }), ...repeated };
}
