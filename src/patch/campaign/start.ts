import type { CampaignNode } from '../../domain/campaign.ts';
import { argumentsOfUpdate } from '../graph/followed-tags.ts';
import type { ImageGraph } from '../graph/image-graph.ts';
import { findRemaining } from '../impact/order.ts';
import type { WantedRun } from '../ports.ts';
import type { Input, Turn } from './decision.ts';
import type { CampaignDraft } from './draft.ts';
import { isOpen, isPostponed, nodeKeyOf, wantedImages, type NodeKey, type Nodes } from './node.ts';
import { standingOn } from './resolve.ts';

/** Without a duration, a task counts as a second of work: then what stands on it decides. */
const assumedMs = 1000;

/** The build arguments that hold followed tags, each with the newest tag that the task is to stand on. */
function argumentsOf({ task, bases }: CampaignNode, graph: ImageGraph): Readonly<Record<string, string>> | undefined {
  const record = graph.task(task)?.record;
  const given = record === undefined ? [] : argumentsOfUpdate(record, bases);
  return given.length === 0 ? undefined : Object.fromEntries(given.map(({ name, value }) => [name, value]));
}

/** The run that a node which is `running` stands for. Asking for it again comes to the same run. */
export function wantRun(campaign: string, node: CampaignNode, nodes: Nodes, graph: ImageGraph): WantedRun {
  const given = argumentsOf(node, graph);
  return {
    task: node.task,
    campaign,
    try: node.tries,
    images: wantedImages(node, nodes),
    ...(given !== undefined && { arguments: given }),
  };
}

/** How much work is behind each node that has not ended, by the longest way through what stands on it. */
function remainingWork(nodes: Nodes): ReadonlyMap<NodeKey, number> {
  const standing = standingOn(nodes);
  const open = new Map<NodeKey, number>();
  for (const [key, { needs }] of nodes) open.set(key, needs.filter((need) => nodes.has(nodeKeyOf(need))).length);
  const names = [...open].flatMap(([key, count]) => (count === 0 ? [key] : []));
  // It grows on the way.
  for (const name of names) {
    for (const one of standing.get(name) ?? []) {
      const count = (open.get(one) ?? 0) - 1;
      open.set(one, count);
      if (count === 0) names.push(one);
    }
  }
  return findRemaining(names, standing, (key) => {
    const node = nodes.get(key);
    return node && isOpen(node.state) ? (node.durationMs ?? assumedMs) : 0;
  });
}

/** How many runs are at work, and the first wave in which something is left to happen. */
function lookAround(nodes: Nodes): { readonly running: number; readonly wave: number } {
  let running = 0;
  let first = Infinity;
  for (const { state, wave } of nodes.values()) {
    if (state.kind === 'running') running += 1;
    if (isOpen(state)) first = Math.min(first, wave);
  }
  return { running, wave: first };
}

function choose(nodes: Nodes, ready: readonly NodeKey[], places: number): readonly NodeKey[] {
  if (ready.length <= places || places === 0) return ready.slice(0, places);
  const remaining = remainingWork(nodes);
  return [...ready].sort((a, b) => (remaining.get(b) ?? 0) - (remaining.get(a) ?? 0)).slice(0, places);
}

/**
 * Claims places for nodes that are ready: those of the first open wave with the most work behind them, as far as the campaign's concurrency
 * goes. One that waits after a run that failed begins when somebody looks after its time. A claimed node is `running` without a run; the run
 * is asked for when that is written.
 */
export function startNodes(turn: Turn, draft: CampaignDraft, ready: readonly NodeKey[]): void {
  const { status, cancelRequested, policy } = draft.campaign;
  if (status !== 'Running' || cancelRequested || ready.length === 0) return;
  const { running, wave } = lookAround(draft.nodes);
  const places = Math.max(0, Math.max(1, policy.concurrency) - running);
  const able = ready.filter((key) => {
    const node = draft.nodes.get(key);
    return node?.wave === wave && !isPostponed(node, turn.draft.now);
  });
  for (const key of choose(draft.nodes, able, places)) {
    const node = draft.nodes.get(key);
    if (node === undefined) continue;
    const bases = wantedImages(node, draft.nodes);
    const claimed: CampaignNode = { ...node, bases, tries: node.tries + 1, state: { kind: 'running' } };
    draft.setNode(claimed);
    turn.starts.push(wantRun(draft.id, claimed, draft.nodes, turn.draft.graph));
  }
}

/** Notes the run of a claimed node, or why there can be none. */
export function noteStart(turn: Turn, { wanted, result }: Extract<Input, { kind: 'started' }>): void {
  const draft = turn.draft.get(wanted.campaign);
  const node = draft?.nodes.get(nodeKeyOf(wanted.task));
  const isClaimed = node?.state.kind === 'running' && node.state.runId === undefined && node.tries === wanted.try;
  if (!draft || !isClaimed) return;
  if ('because' in result) {
    draft.setNode({ ...node, state: { kind: 'skipped', because: result.because } });
    return;
  }
  draft.setNode({ ...node, state: { kind: 'running', runId: result.runId } });
  const { cancelRequested } = draft.campaign;
  if (cancelRequested) turn.cancels.push({ runId: result.runId, by: cancelRequested.by });
}
