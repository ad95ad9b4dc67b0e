import type { ImageEntry } from '../domain/dependency-document.ts';
import { formatElapsed, formatOutputImage } from '../domain/event-text.ts';
import { isFinal } from '../domain/run.ts';
import type { RunView } from './api-types.ts';
import { describeCause, nameCause } from './run-cause-view.ts';
import { cleanLine } from './clean-line.ts';
import type { Colors } from './screen.ts';
import { formatAge, formatTable } from './words.ts';

/** The references of what a run pushed, with digests. */
export function listImages(run: RunView): readonly string[] {
  return (run.outputImages ?? []).map(formatOutputImage);
}

/** A run as `--json` shows it: the API's own members, and the references of its images as they go into a pull. */
export function runResult(run: RunView): object {
  return { ...run, images: listImages(run) };
}

function formatDuration(run: RunView, now: number): string {
  if (run.startTime === undefined) return '-';
  return formatElapsed((run.finishTime === undefined ? now : Date.parse(run.finishTime)) - Date.parse(run.startTime));
}

function shortNames(run: RunView): string {
  const names = (run.outputImages ?? []).map(
    ({ repository, tag }) => `${repository}${tag === undefined ? '' : `:${tag}`}`,
  );
  return names.length === 0 ? '-' : names.join(', ');
}

/** A status in its colour. */
export function paintStatus(colors: Colors, status: string): string {
  if (status === 'Succeeded') return colors.green(status);
  return ['Failed', 'Error', 'Timeout'].includes(status) ? colors.red(status) : colors.yellow(status);
}

/** The runs as a table, newest first; `now` in milliseconds. What runs of tasks have alone is shown when there is one. */
export function formatRuns(runs: readonly RunView[], colors: Colors, now: number): readonly string[] {
  const hasTasks = runs.some(({ task }) => task !== undefined);
  const rows = runs.map((run) => [
    run.runId,
    run.status,
    ...(hasTasks ? [run.task ?? '-', nameCause(run)] : []),
    run.runType,
    formatAge(Date.parse(run.createTime), now),
    formatDuration(run, now),
    shortNames(run),
  ]);
  const heads = ['RUN', 'STATUS', ...(hasTasks ? ['TASK', 'CAUSE'] : []), 'TYPE', 'CREATED', 'DURATION', 'IMAGES'];
  const [head = '', ...lines] = formatTable([heads, ...rows]);
  const painted = lines.map((line, at) => {
    const status = runs[at]?.status ?? '';
    return line.replace(status, paintStatus(colors, status));
  });
  return [colors.bold(head), ...painted];
}

function formatSteps(run: RunView): readonly string[] {
  const rows = (run.steps ?? []).map(({ id, kind, startTime, finishTime, outcome, takenFrom }) => {
    const isTimed = startTime !== undefined && finishTime !== undefined;
    const elapsed = isTimed ? formatElapsed(Date.parse(finishTime) - Date.parse(startTime)) : '-';
    const state = outcome?.kind ?? (startTime === undefined ? 'waiting' : 'running');
    return [`  ${id}`, kind, takenFrom === undefined ? state : `${state}, taken from run ${takenFrom}`, elapsed];
  });
  return rows.length === 0 ? [] : ['Steps:', ...formatTable(rows)];
}

/** `reference@digest`, as far as the digest is known. */
function formatImage({ reference, digest }: ImageEntry): string {
  return digest === undefined || reference.endsWith(digest) ? reference : `${reference}@${digest}`;
}

function formatBases(run: RunView): readonly string[] {
  const rows = (run.dependencies ?? []).flatMap((entry) => {
    const { image, 'runtime-dependency': runtime, 'buildtime-dependency': buildTime = [] } = entry;
    return [
      `  ${image === null ? '(an image without a name)' : image.reference}`,
      ...(runtime === undefined ? [] : [`    runtime     ${formatImage(runtime)}`]),
      ...buildTime.map((one) => `    build time  ${formatImage(one)}`),
    ];
  });
  return rows.length === 0 ? [] : ['Built on:', ...rows.map((row) => cleanLine(row, false))];
}

/** Everything about one run, a line for each thing. */
export function formatRun(run: RunView, colors: Colors, now: number): readonly string[] {
  const images = listImages(run);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Run:', run.runId],
    ['Status:', paintStatus(colors, run.status)],
    ['Why:', run.runErrorMessage ?? (isFinal(run.status) ? undefined : run.waiting?.reason)],
    ['Type:', run.runType],
    ['Task:', run.task],
    ['Cause:', describeCause(run)],
    ['Agent pool:', run.agentPoolName],
    ['Created:', `${run.createTime} (${formatAge(Date.parse(run.createTime), now)})`],
    ['Duration:', formatDuration(run, now)],
    ['Worker:', run.worker],
  ];
  const known = facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, cleanLine(value, true)]]));
  return [
    ...formatTable(known),
    ...formatSteps(run),
    ...(images.length > 0 ? ['Images:'] : []),
    ...images.map((one) => `  ${one}`),
    ...formatBases(run),
  ];
}
