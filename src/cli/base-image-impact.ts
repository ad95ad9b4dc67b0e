import { formatElapsed } from '../domain/event-text.ts';
import { formatName } from './base-image-view.ts';
import { cleanLine } from './clean-line.ts';
import { compareNames } from './natural-order.ts';
import type { ImpactTaskView, ImpactView } from './patching-types.ts';
import type { Colors } from './screen.ts';
import { formatTable } from './words.ts';

/** `1 task`, `3 tasks` */
export function count(number: number, word: string): string {
  return `${String(number)} ${word}${number === 1 ? '' : 's'}`;
}

function headline({ image, tasks, durationMs, concurrency }: ImpactView): string {
  const rebuilt = tasks.filter(({ skippedBecause }) => skippedBecause === undefined).length;
  const levels = new Set(tasks.map(({ level }) => level)).size;
  const [name, length] = [formatName(image), formatElapsed(durationMs)];
  const verb = rebuilt === 1 ? 'is' : 'are';
  const how = `${count(levels, 'level')}, in about ${length} (at most ${String(concurrency)} at a time)`;
  return `When ${name} changes, ${count(rebuilt, 'task')} ${verb} rebuilt in ${how}:`;
}

function lengthOf({ durationMs }: ImpactTaskView): string {
  return durationMs === undefined ? '?' : formatElapsed(durationMs);
}

function reasonsOf({ bases, onlyReads, skippedBecause }: ImpactTaskView): string {
  const names = bases.map(formatName).join(', ');
  const reads = onlyReads === undefined ? '' : `; reads what ${onlyReads.join(' and ')} makes`;
  return `${names}${reads}${skippedBecause === undefined ? '' : `; not started: ${skippedBecause}`}`;
}

function formatTasks(all: readonly ImpactTaskView[], colors: Colors): readonly string[] {
  const tasks = [...all].sort((a, b) => a.level - b.level || compareNames(a.task, b.task));
  const hasWaves = new Set(tasks.map(({ wave }) => wave)).size > 1;
  const rows = tasks.map((one) => [
    String(one.level + 1),
    ...(hasWaves ? [String(one.wave)] : []),
    one.task,
    one.skippedBecause === undefined ? `+${formatElapsed(one.startMs)}` : '-',
    lengthOf(one),
    reasonsOf(one),
  ]);
  const heads = ['LEVEL', ...(hasWaves ? ['WAVE'] : []), 'TASK', 'START', 'TAKES', 'STANDS ON'];
  const [head = '', ...lines] = formatTable([heads, ...rows]);
  const painted = lines.map((line, at) => (tasks[at]?.skippedBecause === undefined ? line : colors.dim(line)));
  return [colors.bold(head), ...painted];
}

/** What a change would rebuild, by level, and what not. Levels are counted from 1 here. */
export function formatImpact(impact: ImpactView, colors: Colors): readonly string[] {
  const { image, tasks, cycles, notRebuilt } = impact;
  const against = notRebuilt.map((one) => [`  ${one.task}`, formatName(one.image), one.because]);
  const isGuess = tasks.some(({ durationMs }) => durationMs === undefined);
  return [
    ...(tasks.length === 0
      ? [`No task is rebuilt when ${formatName(image)} changes.`]
      : [headline(impact), ...formatTasks(tasks, colors)]),
    ...(isGuess ? ['?: nobody knows yet; it is taken to be as long as the others, or a minute.'] : []),
    ...cycles.map((circle) => `In a circle, each rebuilt once: ${[...circle, circle[0] ?? ''].join(' → ')}`),
    ...(against.length === 0 ? [] : [colors.bold('Not rebuilt:'), ...formatTable(against)]),
  ].map((line) => cleanLine(line, true));
}

/** Text inside a label of Mermaid (https://mermaid.js.org/syntax/flowchart.html, "Entity codes to escape characters"). */
function label(...lines: readonly string[]): string {
  const escape = (text: string): string =>
    cleanLine(text, false)
      .replaceAll('#', '#35;')
      .replaceAll('"', '#quot;')
      .replaceAll('<', '#lt;')
      .replaceAll('>', '#gt;');
  return `"${lines.map(escape).join('<br/>')}"`;
}

/** What tasks are called in the drawing. */
type Ids = ReadonlyMap<string, string>;

/** What closes circles: it is stood on, and not waited for. */
function drawCircles({ cycles, tasks }: ImpactView, ids: Ids): readonly string[] {
  const needs = new Map(tasks.map((one) => [one.task, one.needs]));
  return cycles.flatMap((circle) =>
    circle.flatMap((task, at) => {
      const next = circle[(at + 1) % circle.length] ?? '';
      return needs.get(next)?.includes(task) === true ? [] : [`${ids.get(task) ?? ''} -.-> ${ids.get(next) ?? ''}`];
    }),
  );
}

/** The arrows to a task: from what it stands on, and from what it only reads while it is built. */
function drawArrows(
  { task, needs, onlyReads = [], bases }: ImpactTaskView,
  image: string,
  ids: Ids,
): readonly string[] {
  const isOnBase = bases.some(({ reference }) => reference === image);
  const to = ids.get(task) ?? '';
  const arrows = needs.flatMap((need) => {
    const from = ids.get(need);
    return from === undefined ? [] : [`${from} ${onlyReads.includes(need) ? '-. read .->' : '-->'} ${to}`];
  });
  return [...(isOnBase ? [`base --> ${to}`] : []), ...arrows];
}

/** The tasks, by what they are called in the drawing; an arrow goes from what is stood on to what stands on it. */
export function drawImpact(impact: ImpactView): readonly string[] {
  const { image, tasks, notRebuilt } = impact;
  const ids = new Map(tasks.map(({ task }, at) => [task, `t${String(at)}`]));
  const makers = new Map(
    tasks.flatMap(({ task, images }) => images.map(({ reference }) => [reference, ids.get(task)])),
  );
  const nodes = tasks.map((one) => {
    const skipped = one.skippedBecause === undefined ? [] : [`not started: ${one.skippedBecause}`];
    return `${ids.get(one.task) ?? ''}[${label(one.task, lengthOf(one), ...skipped)}]`;
  });
  const arrows = tasks.flatMap((one) => drawArrows(one, image.reference, ids));
  const others = notRebuilt.map((one, at) => {
    const from = makers.get(one.image.reference) ?? 'base';
    return `${from} -.-> n${String(at)}[${label(one.task, `not rebuilt: ${one.because}`)}]`;
  });
  const lines = [`base([${label(formatName(image))}])`, ...nodes, ...arrows, ...drawCircles(impact, ids), ...others];
  return ['flowchart LR', ...lines.map((line) => `  ${line}`)];
}
