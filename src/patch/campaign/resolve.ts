import type { CampaignNode, NodeState } from '../../domain/campaign.ts';
import { turnAround } from '../impact/order.ts';
import type { CampaignDraft } from './draft.ts';
import { hasChangedBase, isOpen, nodeKeyOf, onlyReads, type NodeKey, type Nodes } from './node.ts';

function stateOfNeeds(node: CampaignNode, nodes: Nodes): NodeState | 'open' | 'ended' {
  let isAnyOpen = false;
  for (const need of node.needs) {
    const maker = nodes.get(nodeKeyOf(need));
    if (maker === undefined) continue;
    isAnyOpen ||= isOpen(maker.state);
    if (onlyReads(node, need)) continue;
    if (maker.state.kind === 'failed' || maker.state.kind === 'canceled') return { kind: 'blocked', by: maker.task };
    if (maker.state.kind === 'blocked') return { kind: 'blocked', by: maker.state.by };
  }
  return isAnyOpen ? 'open' : 'ended';
}

/** Why a node that nothing has changed for is left alone: an image of its was not made, or has come out as it was. */
function restingState(node: CampaignNode, nodes: Nodes): NodeState {
  const stoodOn = node.needs.filter((need) => !onlyReads(node, need));
  const skipped = stoodOn.find((need) => nodes.get(nodeKeyOf(need))?.state.kind === 'skipped');
  if (skipped === undefined) return { kind: 'unneeded' };
  return { kind: 'skipped', because: `${skipped}, which it stands on, was not rebuilt` };
}

/** What becomes of a waiting node by what it needs: it waits on, it is ready, or it is settled. */
function judge(node: CampaignNode, nodes: Nodes): 'waiting' | 'ready' | NodeState {
  const needs = stateOfNeeds(node, nodes);
  if (needs === 'open') return 'waiting';
  if (needs !== 'ended') return needs;
  return hasChangedBase(node, nodes) ? 'ready' : restingState(node, nodes);
}

/** By node: the nodes that need it. */
export function standingOn(nodes: Nodes): ReadonlyMap<NodeKey, readonly NodeKey[]> {
  return turnAround(nodes, ({ needs }) => needs.map(nodeKeyOf));
}

/** Settles the waiting nodes of which it is clear that they will not be run, and gives those that are ready to be. */
export function resolveNodes(draft: CampaignDraft): readonly NodeKey[] {
  const ready = new Set<NodeKey>();
  let standing: ReadonlyMap<NodeKey, readonly NodeKey[]> | undefined;
  const open = [...draft.nodes.keys()];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    const node = draft.nodes.get(key);
    if (node?.state.kind !== 'waiting') continue;
    const verdict = judge(node, draft.nodes);
    if (verdict === 'ready') ready.add(key);
    if (typeof verdict === 'string') continue;
    draft.setState(key, verdict);
    standing ??= standingOn(draft.nodes);
    open.push(...(standing.get(key) ?? []));
  }
  return [...ready];
}
