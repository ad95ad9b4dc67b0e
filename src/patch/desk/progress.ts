import { isOver, type Campaign, type CampaignNode } from '../../domain/campaign.ts';
import { isOpen } from '../campaign/node.ts';
import { findOrder, type Order } from '../impact/order.ts';
import { schedule } from '../impact/schedule.ts';
import type { CampaignTask } from './ports.ts';

type Needs = ReadonlyMap<string, { readonly needs: Map<string, string[]> }>;

/** What nodes need of one another, by name in lower case. */
function needsAmong(nodes: readonly CampaignNode[]): Needs {
  const names = new Set(nodes.map(({ task }) => task.toLowerCase()));
  const needsOf = ({ needs }: CampaignNode): Map<string, string[]> =>
    new Map(needs.map((need) => [need.toLowerCase(), []] as [string, string[]]).filter(([need]) => names.has(need)));
  return new Map(nodes.map((node) => [node.task.toLowerCase(), { needs: needsOf(node) }]));
}

/** Nodes with their levels, by level, and by name within one. What would stand on itself comes last, rather than not at all. */
export function arrangeNodes(nodes: readonly CampaignNode[]): readonly (CampaignNode & Pick<CampaignTask, 'level'>)[] {
  const { levels } = findOrder(needsAmong(nodes));
  const last = [...levels.values()].reduce((highest, level) => Math.max(highest, level + 1), 0);
  const levelled = nodes.map((node) => ({ ...node, level: levels.get(node.task.toLowerCase()) ?? last }));
  const compareNames = (a: CampaignNode, b: CampaignNode): number =>
    a.task.toLowerCase() < b.task.toLowerCase() ? -1 : 1;
  return levelled.sort((a, b) => a.level - b.level || compareNames(a, b));
}

/** How long each node takes yet, milliseconds; one whose run takes longer than ever may end at any moment. */
function findDurations(nodes: readonly CampaignTask[], now: number): ReadonlyMap<string, number> {
  const durations = new Map<string, number>();
  for (const { task, durationMs, run, state } of nodes) {
    if (durationMs === undefined) continue;
    const start = state.kind === 'running' ? run?.startTime : undefined;
    const spent = start === undefined ? 0 : now - Date.parse(start);
    durations.set(task.toLowerCase(), Math.max(1000, durationMs - Math.max(0, spent)));
  }
  return durations;
}

function planOf(open: readonly CampaignTask[], needs: Needs, order: Order, now: number) {
  return {
    order,
    needs: new Map([...needs].map(([name, one]) => [name, one.needs.size])),
    waves: new Map(open.map(({ task, wave }) => [task.toLowerCase(), wave])),
    durations: findDurations(open, now),
  };
}

/** About how long a campaign takes yet, milliseconds, with `concurrency` runs at a time; undefined when it is over. */
export function estimateRemaining(
  { status }: Pick<Campaign, 'status'>,
  tasks: readonly CampaignTask[],
  { now, concurrency }: { readonly now: number; readonly concurrency: number },
): number | undefined {
  if (isOver(status)) return undefined;
  const open = tasks.filter(({ state }) => isOpen(state));
  const needs = needsAmong(open);
  const spans = schedule({ ...planOf(open, needs, findOrder(needs), now), concurrency });
  return [...spans.values()].reduce((longest, { endMs }) => Math.max(longest, endMs), 0);
}
