import { referenceKeyOf, type TaskImages } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { identifyImage, parseImageReference } from '../../domain/image-reference.ts';

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

export function followedBy({ trigger }: TaskImages): readonly Followed[] {
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
