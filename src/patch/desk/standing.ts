import { referenceKeyOf, type ObservedImage, type TaskImages } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { GraphTask, ImageGraph } from '../graph/image-graph.ts';
import { compareBases } from '../graph/platforms.ts';
import { reasonAgainst, type BaseKind } from '../graph/task-bases.ts';
import type { StandingImage, StandingQuery, StandingType } from './ports.ts';

/** A line of the list before it is looked at. */
export interface StandingLine {
  /** Unique, and what the list is sorted by: task, image, type, base. */
  readonly key: string;
  readonly record: TaskImages;
  readonly image: ImageIdentity | undefined;
  readonly base: ImageIdentity;
  readonly type: StandingType;
}

/** What a tag stands for now, and since when; ISO 8601, UTC. */
export type Newest = Pick<ObservedImage, 'image' | 'since'>;

const kinds: Readonly<Record<StandingType, BaseKind>> = { Runtime: 'runtime', BuildTime: 'build-time', Step: 'step' };
const ranks: Readonly<Record<StandingType, number>> = { Runtime: 0, BuildTime: 1, Step: 2 };

function* linesOf({ name, record }: GraphTask): Generator<StandingLine> {
  const line = (image: ImageIdentity | undefined, base: ImageIdentity, type: StandingType): StandingLine => {
    const names = [image === undefined ? '' : formatImageIdentity(image), ranks[type], formatImageIdentity(base)];
    return { key: [name, ...names].join(' '), record, image, base, type };
  };
  for (const { image, runtime, buildTime } of record.images) {
    if (runtime) yield line(image, runtime, 'Runtime');
    for (const base of buildTime) yield line(image, base, 'BuildTime');
  }
  for (const base of record.stepImages) yield line(undefined, base, 'Step');
}

/** The tasks that may have lines of a query. */
function* tasksFor(graph: ImageGraph, wanted: ImageIdentity | undefined): Generator<GraphTask> {
  const key = wanted && referenceKeyOf(wanted);
  if (key === undefined) yield* graph.tasks();
  else for (const { task } of graph.dependants(key)) yield task;
}

function isWanted(base: ImageIdentity, wanted: ImageIdentity | undefined): boolean {
  if (wanted === undefined) return true;
  const isSame = wanted.registry === base.registry && wanted.repository === base.repository;
  if (!isSame || (wanted.tag !== undefined && wanted.tag !== base.tag)) return false;
  return wanted.digest === undefined || wanted.digest === base.digest;
}

/** The lines of a query's image, in order, each once; all in one go, because the graph may change afterwards. */
export function listLines(graph: ImageGraph, { image: wanted }: Pick<StandingQuery, 'image'>): readonly StandingLine[] {
  const lines = new Map<string, StandingLine>();
  for (const task of tasksFor(graph, wanted)) {
    for (const line of linesOf(task)) if (isWanted(line.base, wanted)) lines.set(line.key, line);
  }
  return [...lines.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** What a task of ours pushed under a tag last, for tags that nobody has looked at since. */
export function pushedLast(graph: ImageGraph, base: ImageIdentity): Newest | undefined {
  const key = referenceKeyOf(base) ?? '';
  let newest: Newest | undefined;
  for (const name of graph.makers(key)) {
    const task = graph.task(name);
    const image = task?.images.get(key);
    const since = task?.record.builtTime;
    if (image?.digest === undefined || since === undefined) continue;
    if (newest === undefined || Date.parse(since) > Date.parse(newest.since))
      newest = { image: { ...image, digest: image.digest }, since };
  }
  return newest;
}

function reasonOf({ record, base, type }: StandingLine, unnoticed: string | undefined): string | undefined {
  const key = referenceKeyOf(base);
  if (key === undefined) return 'pins it by its digest';
  const isPinned = base.isPinned === true;
  const against = reasonAgainst(record, { key, image: base, kind: kinds[type], digests: [], used: [], isPinned });
  return against ?? (unnoticed && `is not told of changes of its base: ${unnoticed}`);
}

/** The platforms for which the newest is what a line's image was built with, though it is another index; undefined: it is not. */
function unchangedFor({ base }: StandingLine, newest: Newest | undefined): readonly string[] | undefined {
  const compared = newest && compareBases([base], newest.image);
  return compared?.kind === 'unchanged' ? compared.platforms : undefined;
}

/** What a line says, by what is newest; `unnoticed` is why changes of its base are not noticed. */
export function describeLine(
  line: StandingLine,
  newest: Newest | undefined,
  unnoticed: string | undefined,
): StandingImage {
  const { record, image, base, type } = line;
  const because = reasonOf(line, unnoticed);
  const unchanged = unchangedFor(line, newest);
  return {
    ...{ task: record.task, base, type },
    ...(image !== undefined && { image }),
    ...(record.builtTime !== undefined && { builtTime: record.builtTime }),
    ...(newest !== undefined && { newestDigest: newest.image.digest }),
    ...(newest !== undefined && base.digest !== undefined && { isCurrent: !isBehind(line, newest) }),
    ...(unchanged !== undefined && { unchangedFor: unchanged }),
    ...(newest !== undefined && isBehind(line, newest) && { behindSince: newest.since }),
    ...(because !== undefined && { notRebuiltBecause: because }),
  };
}

/** True for a line that is known to be built on something else than the newest. */
export function isBehind({ base }: Pick<StandingLine, 'base'>, newest: Newest | undefined): boolean {
  return newest !== undefined && compareBases([base], newest.image).kind === 'other';
}
