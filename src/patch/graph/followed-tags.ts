import { referenceKeyOf, type TaskImages } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { identifyImage, parseImageReference } from '../../domain/image-reference.ts';
import type { Argument } from '../../domain/run-request.ts';
import type { BaseImageTrigger, Task } from '../../domain/task.ts';
import type { BaseImageStore } from '../../store/ports.ts';
import { basesOf } from './task-bases.ts';

/** A pattern of tags in one repository: `docker.io/library/node:20.*`. */
export interface TagPattern {
  readonly registry: string;
  readonly repository: string;
  matches(tag: string): boolean;
}

/**
 * Reads a pattern: an image name in whose tag each `*` stands for digits and dots, at least one. So `20.*` follows `20.11.1` but not
 * `20.11.1-alpine`, which is another line of images. Undefined when it is none, or has no tag.
 */
export function parseTagPattern(pattern: string): TagPattern | undefined {
  const colon = pattern.lastIndexOf(':');
  const tag = pattern.slice(colon + 1);
  if (colon < 0 || !/^[\w.*-]{1,128}$/.test(tag)) return undefined;
  const parts = tag.split(/\*+/).map((part) => part.replace(/[.-]/g, '\\$&'));
  const form = new RegExp(`^${parts.join('[0-9.]+')}$`);
  try {
    const { registry, repository } = identifyImage(parseImageReference(pattern.slice(0, colon)));
    return { registry, repository, matches: (text) => form.test(text) };
  } catch {
    return undefined;
  }
}

/** Puts tags in the order of their versions: numbers count as numbers, `20.9` comes before `20.10`. */
export function compareTags(a: string, b: string): number {
  const [left, right] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []];
  for (const [at, part] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    const difference = Number(part) - Number(other);
    if (Number.isNaN(difference) ? part !== other : difference !== 0) return difference || (part < other ? -1 : 1);
  }
  return left.length - right.length;
}

/** One entry of a trigger's `follow`, read. */
export interface Followed {
  readonly pattern: TagPattern;
  readonly argument: string;
}

/** What a trigger follows; a trigger that rests follows nothing new, and keeps what it has. */
export function followedBy(trigger: BaseImageTrigger | undefined): readonly Followed[] {
  return (trigger?.follow ?? []).flatMap(({ pattern, argument }) => {
    const parsed = parseTagPattern(pattern);
    return parsed === undefined ? [] : [{ pattern: parsed, argument }];
  });
}

/** The newest tag among images that a pattern matches. */
export function newestTag(pattern: TagPattern, images: Iterable<ImageIdentity>): string | undefined {
  let newest: string | undefined;
  for (const { registry, repository, tag } of images) {
    if (registry !== pattern.registry || repository !== pattern.repository) continue;
    if (tag === undefined || !pattern.matches(tag)) continue;
    if (newest === undefined || compareTags(tag, newest) > 0) newest = tag;
  }
  return newest;
}

/** The arguments that hold what a trigger follows, each with the newest of these images' tags. */
function argumentsFor(trigger: BaseImageTrigger | undefined, images: readonly ImageIdentity[]): readonly Argument[] {
  return followedBy(trigger).flatMap(({ pattern, argument: name }) => {
    const value = newestTag(pattern, images);
    return value === undefined ? [] : [{ name, value, isSecret: false, isFollowed: true as const }];
  });
}

/**
 * What a run gets that a campaign makes for `images`. A tag that the task names itself is left to what it says by then, until the task was
 * given a newer one.
 */
export function argumentsOfUpdate(record: TaskImages, images: readonly ImageIdentity[]): readonly Argument[] {
  const own = basesOf(record);
  const others = images.filter((image) => !own.has(referenceKeyOf(image) ?? ''));
  return argumentsFor(record.trigger, [...(record.followed ?? []), ...others]);
}

/**
 * What every other run of a task gets, so that it stays on the newest tag that it was brought to. A value of the task's own that is newer
 * counts more.
 */
export function argumentsOfTask({ trigger, step }: Pick<Task, 'trigger' | 'step'>, record: TaskImages | undefined) {
  const own = step.type === 'Docker' ? step.arguments : step.values;
  const known = argumentsFor(trigger.baseImageTrigger, record?.followed ?? []);
  return known.filter(({ name, value }) => {
    const said = own.find((one) => one.name === name && !one.isSecret)?.value;
    const followed = followedBy(trigger.baseImageTrigger).find(({ argument }) => argument === name);
    return said === undefined || followed?.pattern.matches(said) !== true || compareTags(said, value) < 0;
  });
}

/** The tags that a task was brought to, after a good run with `given`; what it follows no more is left out. */
export function rememberFollowed(
  before: TaskImages['followed'],
  trigger: BaseImageTrigger | undefined,
  given: readonly Argument[],
): readonly ImageIdentity[] {
  return followedBy(trigger).flatMap(({ pattern, argument }) => {
    const { registry, repository } = pattern;
    const tags = given.filter(({ name, isFollowed }) => isFollowed && name === argument).map(({ value }) => value);
    const tag = newestTag(pattern, [...(before ?? []), ...tags.map((one) => ({ registry, repository, tag: one }))]);
    return tag === undefined ? [] : [{ registry, repository, tag }];
  });
}

/** True when a task that stands on `bases` follows a pattern that the image's tag is the newest of. */
export function isNewerTag(
  image: ImageIdentity,
  followed: readonly Followed[],
  bases: readonly ImageIdentity[],
): boolean {
  const others = bases.filter((base) => referenceKeyOf(base) !== referenceKeyOf(image));
  return followed.some(
    ({ pattern }) => newestTag(pattern, [...others, image]) === image.tag && image.tag !== undefined,
  );
}

/** Makes what gives a task's run the newest tags that it follows, as they are known at that moment. */
export function createFollowed(baseImages: Pick<BaseImageStore, 'get'>): (task: Task) => Promise<readonly Argument[]> {
  return async (task) =>
    followedBy(task.trigger.baseImageTrigger).length === 0
      ? []
      : argumentsOfTask(task, await baseImages.get(task.name));
}
