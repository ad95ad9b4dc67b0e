import { isOver, type CampaignStatus } from '../domain/campaign.ts';
import { formatElapsed } from '../domain/event-text.ts';
import { count } from './base-image-impact.ts';
import { formatName, shortDigest } from './base-image-view.ts';
import { cleanLine } from './clean-line.ts';
import { formatCounts, formatLength, formatTasks, inOneLine } from './campaign-task-view.ts';
import { compareNames } from './natural-order.ts';
import type { CampaignDetails, CampaignView } from './patching-types.ts';
import { paintStatus } from './run-view.ts';
import type { Colors } from './screen.ts';
import { formatAge, formatTable } from './words.ts';

function formatBases({ updates }: CampaignView): string {
  const names = [...new Set(updates.map(({ image }) => formatName(image)))];
  return `${names[0] ?? '-'}${names.length > 1 ? ` +${String(names.length - 1)}` : ''}`;
}

/** The campaigns as a table, newest first; `now` in milliseconds. */
export function formatCampaigns(list: readonly CampaignView[], colors: Colors, now: number): readonly string[] {
  const rows = list.map((one) => [
    one.id,
    one.status,
    formatBases(one),
    formatAge(Date.parse(one.createTime), now),
    formatLength(one.createTime, one.finishTime, now),
    formatCounts(one),
  ]);
  const heads = ['CAMPAIGN', 'STATUS', 'BASE', 'CREATED', 'DURATION', 'TASKS'];
  const [head = '', ...lines] = formatTable([heads, ...rows].map((row) => row.map((cell) => cleanLine(cell, false))));
  const painted = lines.map((line, at) => {
    const status = list[at]?.status ?? '';
    return line.replace(status, paintStatus(colors, status));
  });
  return [colors.bold(head), ...painted];
}

function describeUpdate({ image, previousDigest, source, by, at }: CampaignView['updates'][number]): string {
  const before = previousDigest === undefined ? '' : `, ${shortDigest(previousDigest)} before`;
  const who = by === undefined ? '' : ` (${by})`;
  return `${formatName(image)} is ${shortDigest(image.digest)}${before}: told by ${source}${who} at ${at}`;
}

function waitingFor({ status, waitsFor }: CampaignView): string | undefined {
  return waitsFor.length === 0 || isOver(status) ? undefined : waitsFor.join(', ');
}

/** About how long it takes yet; nobody knows how long people let it stand. */
function formatLeft(campaign: CampaignDetails): string | undefined {
  const { estimate } = campaign;
  if (estimate === undefined) return undefined;
  return `about ${formatElapsed(estimate.remainingMs)}${isStopped(campaign) ? ' once it is resumed' : ''}`;
}

/** True for a campaign that nothing goes on in unless people do something: others may wait for it. */
export function isStopped({ status }: Pick<CampaignView, 'status'>): boolean {
  return status === 'Held' || status === 'Paused';
}

/** How many changes of base images wait in campaigns behind one that people let stand; undefined: none. */
function formatWaiting(campaign: CampaignDetails, others: readonly CampaignView[]): string | undefined {
  if (!isStopped(campaign)) return undefined;
  const behind = others.filter(({ status, waitsFor }) => !isOver(status) && waitsFor.includes(campaign.id));
  const changes = behind.reduce((sum, { updates }) => sum + updates.length, 0);
  if (changes === 0) return undefined;
  return `${count(changes, 'change')} ${changes === 1 ? 'waits' : 'wait'} until it is resumed or canceled`;
}

function formatFacts({ campaign, others }: CampaignAmong, colors: Colors, now: number): readonly string[] {
  const { cancelRequested } = campaign;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Campaign:', campaign.id],
    ['Status:', paintStatus(colors, campaign.status)],
    ['Why:', campaign.because && inOneLine(campaign.because)],
    ...campaign.updates.map((update) => ['Base:', describeUpdate(update)] as const),
    ['Created:', `${campaign.createTime} (${formatAge(Date.parse(campaign.createTime), now)})`],
    ['Duration:', formatLength(campaign.createTime, campaign.finishTime, now)],
    ['Left:', formatLeft(campaign)],
    ['Canceled:', cancelRequested && `by ${cancelRequested.by} at ${cancelRequested.at}`],
    ['Waits for:', waitingFor(campaign)],
    ['Behind it:', formatWaiting(campaign, others)],
    ...campaign.cycles.map((circle) => ['Circle:', [...circle, circle[0] ?? ''].join(' → ')] as const),
    ['Tasks:', formatCounts(campaign)],
  ];
  return formatTable(facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, cleanLine(value, true)]])));
}

/** Tasks under a heading for each level; the columns of all levels are the same. */
function formatLevels(campaign: CampaignDetails, colors: Colors, now: number): readonly string[] {
  const tasks = [...campaign.tasks].sort((a, b) => a.level - b.level || compareNames(a.task, b.task));
  const lines = formatTasks(tasks, colors, now);
  return lines.flatMap((line, at) => {
    const [one, before] = [tasks[at], tasks[at - 1]];
    const isNew = one !== undefined && one.level !== before?.level;
    return [...(isNew ? [colors.bold(`Level ${String(one.level + 1)}`)] : []), line];
  });
}

/** A campaign, and others that may wait for it. */
export interface CampaignAmong {
  readonly campaign: CampaignDetails;
  readonly others: readonly CampaignView[];
}

/** Everything about one campaign: a line for each thing, then its tasks by level, counted from 1. */
export function formatCampaign(among: CampaignAmong, colors: Colors, now: number): readonly string[] {
  return [...formatFacts(among, colors, now), ...formatLevels(among.campaign, colors, now)];
}

/** A campaign's end in one line. */
export function describeEnd(campaign: CampaignView, colors: Colors, now: number): string {
  const { id, status, because = formatCounts(campaign), createTime, finishTime } = campaign;
  const took = `after ${formatLength(createTime, finishTime, now)}`;
  return cleanLine(`Campaign ${id} ${paintStatus(colors, status)} ${took}: ${inOneLine(because)}`, true);
}

/** True for the statuses in which nothing more happens unless people do something. */
export function isAtRest({
  status,
  counts,
}: Pick<CampaignView, 'counts'> & { readonly status: CampaignStatus }): boolean {
  return isOver(status) || (status === 'Held' && (counts.running ?? 0) === 0);
}
