import { formatElapsed } from '../domain/event-text.ts';
import { cleanLine } from './clean-line.ts';
import type { CampaignTaskView, CampaignView, TaskState } from './patching-types.ts';
import type { Colors } from './screen.ts';
import { formatTable } from './words.ts';

const looks = {
  running: ['●', 'cyan'],
  failed: ['✗', 'red'],
  blocked: ['✗', 'yellow'],
  waiting: ['○', 'dim'],
  rebuilt: ['✓', 'green'],
  unchanged: ['=', 'green'],
  unneeded: ['-', 'dim'],
  skipped: ['-', 'yellow'],
  canceled: ['-', 'yellow'],
} as const satisfies Record<TaskState, readonly [sign: string, tone: keyof Colors]>;

const stateOrder = Object.keys(looks) as TaskState[];

/** How many tasks are in which state: `12 rebuilt, 3 running`. */
export function formatCounts({ counts }: Pick<CampaignView, 'counts'>): string {
  const order: readonly TaskState[] = ['rebuilt', 'unchanged', 'unneeded', 'running', 'waiting'];
  const all = [...order, ...stateOrder.filter((state) => !order.includes(state))];
  const parts = all.flatMap((state) => {
    const number = counts[state] ?? 0;
    return number === 0 ? [] : [`${String(number)} ${state}`];
  });
  return parts.length === 0 ? 'no tasks' : parts.join(', ');
}

/** How long something took, or has taken so far; `-` when it has not begun. */
export function formatLength(from: string | undefined, to: string | undefined, now: number): string {
  if (from === undefined) return '-';
  return formatElapsed((to === undefined ? now : Date.parse(to)) - Date.parse(from));
}

/** True for a task whose run waits for a worker. */
export function isInQueue({ state, runStatus }: CampaignTaskView): boolean {
  return state === 'running' && runStatus === 'Queued';
}

function stateOf(one: CampaignTaskView): string {
  return isInQueue(one) ? 'queued' : one.state;
}

/** A reason in one line: that of a failed build has the last lines of its log. */
export function inOneLine(reason: string): string {
  return reason.replace(/\s*\n\s*/g, ' ');
}

/** How long a task waits yet before it is started again: ` in 10s`; nothing once its time has come. */
function formatWait({ notBefore }: CampaignTaskView, now: number): string {
  const leftMs = notBefore === undefined ? 0 : Date.parse(notBefore) - now;
  return leftMs <= 0 ? '' : ` in ${formatElapsed(Math.ceil(leftMs / 1000) * 1000)}`;
}

/** Why a task is in its state, in one line, where there is something to say. */
function reasonOf(one: CampaignTaskView, now: number): string {
  const { because, blockedBy, tries, state } = one;
  if (because !== undefined) return inOneLine(because);
  if (blockedBy !== undefined) return `${blockedBy} failed`;
  if (state !== 'waiting' || tries === 0) return '';
  return `again${formatWait(one, now)}, after ${String(tries)} ${tries === 1 ? 'try' : 'tries'}`;
}

/** One line for each task: sign, name, wave where there are several, state, run, how long, why; `now` in milliseconds. */
export function formatTasks(tasks: readonly CampaignTaskView[], colors: Colors, now: number): readonly string[] {
  const hasWaves = new Set(tasks.map(({ wave }) => wave)).size > 1;
  const rows = tasks.map((one) => {
    const { state, runId, startTime, finishTime } = one;
    const name = [one.task, ...(hasWaves ? [`wave ${String(one.wave)}`] : [])];
    const words = [...name, stateOf(one), runId ?? '-', formatLength(startTime, finishTime, now), reasonOf(one, now)];
    return [`  ${looks[state][0]}`, ...words.map((word) => cleanLine(word, false))];
  });
  return formatTable(rows).map((line, at) => {
    const state = tasks[at]?.state ?? 'waiting';
    return colors[looks[state][1]](line);
  });
}

/** What a task has come to, as a line of its own in a log. */
export function describeTask(one: CampaignTaskView, now: number): string {
  const { task, runId, startTime, finishTime } = one;
  const took = finishTime === undefined ? '' : ` in ${formatLength(startTime, finishTime, now)}`;
  const reason = reasonOf(one, now);
  const by = runId === undefined ? '' : `, run ${runId}`;
  return cleanLine(`${task}: ${stateOf(one)}${by}${took}${reason === '' ? '' : `: ${reason}`}`, false);
}
