import { referenceKeyOf, type TaskImages } from '../../domain/base-image.ts';
import type { OutputImage, Run } from '../../domain/run.ts';
import type { Task } from '../../domain/task.ts';
import { rememberFollowed } from '../graph/followed-tags.ts';
import { unusedMark } from '../learn/check-followed.ts';
import { carryDigests, emptyRecord, withTrigger } from '../learn/task-images.ts';
import { imagesOfRun } from './images-of-run.ts';

/** How many failed runs are told apart, so that none is counted twice. */
const rememberedFailures = 20;

/** Milliseconds; what lies longer back counts for less. */
function averageDuration(before: number | undefined, { startTime, finishTime }: Run): number | undefined {
  if (startTime === undefined || finishTime === undefined) return before;
  const last = Math.max(0, Date.parse(finishTime) - Date.parse(startTime));
  return before === undefined ? last : Math.round(0.6 * before + 0.4 * last);
}

function isBefore(a: string | undefined, b: string): boolean {
  return a !== undefined && Date.parse(a) < Date.parse(b);
}

/** True when a run tells nothing new: a later one was told of before it, or it was itself. */
function isOld({ builtTime }: TaskImages, finishTime: string): boolean {
  return builtTime !== undefined && !isBefore(builtTime, finishTime);
}

/** A problem of a file's lines, and one of runs that nobody has seen yet: a good run does not speak against them. */
function isLasting(problem: string, { cause }: Run): boolean {
  if (problem.startsWith('a run that a base image starts')) return cause?.kind !== 'image-update';
  return problem.startsWith(unusedMark) || /^line \d+ of /.test(problem);
}

/** What a good run that is the task's own says of it, whole. */
function wholeRecord(before: TaskImages | undefined, task: Task, run: Run, pushed: readonly OutputImage[]): TaskImages {
  const at = run.finishTime ?? run.lastUpdatedTime;
  const { failedRuns: _, ...known } = before ?? emptyRecord(task, at);
  const durationMs = averageDuration(before?.durationMs, run);
  const problems = before?.taskVersion === task.version ? before.problems : [];
  return withTrigger(
    {
      ...known,
      taskVersion: task.version,
      learned: { from: 'run', runId: run.runId, at },
      images: imagesOfRun(run, pushed, before?.images ?? []),
      problems: problems.filter((text) => isLasting(text, run)),
      ...(durationMs !== undefined && { durationMs }),
      builtTime: at,
      failuresInRow: 0,
    },
    task,
  );
}

/** What a good run says of the images that are known, whatever made it: their tags stand for what it pushed. */
function sameImages(before: TaskImages, run: Run, pushed: readonly OutputImage[]): TaskImages | undefined {
  const keys = new Set(before.images.map(({ image }) => image && referenceKeyOf(image)));
  const found = imagesOfRun(run, pushed, []).filter(({ image }) => image?.digest !== undefined);
  const moved = found.filter(({ image }) => image && keys.has(referenceKeyOf(image) ?? ''));
  if (moved.length === 0) return undefined;
  const movedKeys = new Set(moved.map(({ image }) => image && referenceKeyOf(image)));
  const images = before.images.map((one) =>
    one.image && movedKeys.has(referenceKeyOf(one.image)) ? (carryDigests([one], moved)[0] ?? one) : one,
  );
  const { failedRuns: _, ...known } = before;
  return { ...known, images, builtTime: run.finishTime ?? run.lastUpdatedTime, failuresInRow: 0 };
}

/** What a good run adds to what is known of its task. */
export interface GoodRun {
  readonly run: Run;
  readonly task: Task;
  /** Its images, with the digests that their tags stand for since. */
  readonly pushed: readonly OutputImage[];
  /** It tells what the task as it is stands on; otherwise it tells digests alone. */
  readonly isOwn: boolean;
}

/** The record with the tags that the run was given because the task follows them. */
function withFollowed(record: TaskImages, { run: { request }, task }: GoodRun): TaskImages {
  const { followed: before, ...rest } = record;
  const given = request.type === 'DockerBuildRequest' ? request.arguments : request.values;
  const followed = rememberFollowed(before, task.trigger.baseImageTrigger, given);
  return followed.length === 0 ? rest : { ...rest, followed };
}

/** The record after a good run; undefined when it stays as it is. */
export function afterSuccess(before: TaskImages | undefined, good: GoodRun): TaskImages | undefined {
  const { run, task, pushed, isOwn } = good;
  const at = run.finishTime ?? run.lastUpdatedTime;
  if (before && isOld(before, at)) return undefined;
  const isWhole = isOwn && (before === undefined || before.taskVersion <= task.version);
  const after = isWhole ? wholeRecord(before, task, run, pushed) : before && sameImages(before, run, pushed);
  return after && withFollowed(after, good);
}

/** The record after a run of a campaign has failed; undefined when it stays as it is. */
export function afterFailure(before: TaskImages | undefined, task: Task, run: Run): TaskImages | undefined {
  const at = run.finishTime ?? run.lastUpdatedTime;
  const known = before ?? emptyRecord({ ...task, version: 0 }, at);
  const { failedRuns = [] } = known;
  if (isOld(known, at) || failedRuns.includes(run.runId)) return undefined;
  return {
    ...known,
    failuresInRow: known.failuresInRow + 1,
    failedRuns: [...failedRuns, run.runId].slice(-rememberedFailures),
  };
}
