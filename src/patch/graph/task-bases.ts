import { referenceKeyOf, type TaskImages } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';

/** How a task stands on an image: its own images begin with it, they are only built with it, or a step runs in it. */
export type BaseKind = 'runtime' | 'build-time' | 'step' | 'followed';

/** An image that a task stands on, by a tag. */
export interface TaskBase {
  readonly key: string;
  readonly image: ImageIdentity;
  readonly kind: BaseKind;
  /** What the tag stood for when the task's images were built last; more than one when they were not built on the same, none: unknown. */
  readonly digests: readonly Digest[];
  /** Each way in which the task's images were built with it; what they stand on is all of them. */
  readonly used: readonly ImageIdentity[];
  readonly isPinned: boolean;
}

const ranks: Readonly<Record<BaseKind, number>> = { runtime: 0, followed: 1, 'build-time': 2, step: 3 };

/** A task's images mostly have their bases in common: each way is kept once. */
function mergeUsed(a: readonly ImageIdentity[], b: readonly ImageIdentity[]): readonly ImageIdentity[] {
  const wayOf = ({ digest, platforms }: ImageIdentity): string => JSON.stringify([digest, platforms]);
  const ways = new Set(a.map(wayOf));
  return [...a, ...b.filter((one) => !ways.has(wayOf(one)))];
}

function mergeBases(a: TaskBase, b: TaskBase): TaskBase {
  const [first, second] = ranks[a.kind] <= ranks[b.kind] ? [a, b] : [b, a];
  const digests = [...new Set([...first.digests, ...second.digests])];
  return { ...first, digests, used: mergeUsed(a.used, b.used), isPinned: a.isPinned && b.isPinned };
}

function* namedBases({ images, stepImages }: TaskImages): Generator<readonly [ImageIdentity, BaseKind]> {
  for (const { runtime, buildTime } of images) {
    if (runtime) yield [runtime, 'runtime'];
    for (const image of buildTime) yield [image, 'build-time'];
  }
  for (const image of stepImages) yield [image, 'step'];
}

/** The bases of a task that have a tag, each once, by their reference keys. */
export function basesOf(record: TaskImages): ReadonlyMap<string, TaskBase> {
  const found = new Map<string, TaskBase>();
  for (const [image, kind] of namedBases(record)) {
    const key = referenceKeyOf(image);
    if (key === undefined) continue;
    const digests = image.digest === undefined ? [] : [image.digest];
    const base = { key, image, kind, digests, used: [image], isPinned: image.isPinned === true };
    const before = found.get(key);
    found.set(key, before === undefined ? base : mergeBases(before, base));
  }
  return found;
}

/** The images that a task makes which have a tag, by their reference keys; the digest is what they were pushed with last. */
export function imagesOf({ images }: TaskImages): ReadonlyMap<string, ImageIdentity> {
  const found = new Map<string, ImageIdentity>();
  for (const { image } of images) {
    const key = image && referenceKeyOf(image);
    if (image && key !== undefined) found.set(key, image);
  }
  return found;
}

const byKind: Readonly<Record<BaseKind, (trigger: NonNullable<TaskImages['trigger']>) => string | undefined>> = {
  runtime: () => undefined,
  followed: () => undefined,
  'build-time': ({ baseImageTriggerType }) =>
    baseImageTriggerType === 'All' ? undefined : 'is only built with it, and its trigger is for runtime bases',
  step: ({ baseImageTriggerType, includesSteps }) =>
    baseImageTriggerType === 'All' && includesSteps === true
      ? undefined
      : 'only runs a step in it, and its trigger is not for images of steps',
};

/** Why a task is not rebuilt when this base changes, as a half-sentence whose subject is the task; undefined: it is. */
export function reasonAgainst(record: TaskImages, base: TaskBase): string | undefined {
  if (base.isPinned) return 'pins it by its digest';
  if (imagesOf(record).has(base.key)) return 'makes it itself';
  if (!record.isEnabled) return 'is disabled';
  if (record.trigger === undefined) return 'has no base image trigger';
  if (record.trigger.status === 'Disabled') return 'has its base image trigger disabled';
  return byKind[base.kind](record.trigger);
}
