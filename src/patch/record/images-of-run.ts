import type { ImageDependencies, ImageIdentity } from '../../domain/dependencies.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { OutputImage, Run } from '../../domain/run.ts';

function isSameName(a: ImageIdentity, b: ImageIdentity): boolean {
  return a.registry === b.registry && a.repository === b.repository && a.tag === b.tag;
}

/** Of images that were made more than once the last one counts. */
function lastOfEach(entries: readonly ImageDependencies[]): readonly ImageDependencies[] {
  const found = new Map<string, ImageDependencies>();
  for (const one of entries) found.set(one.image ? formatImageIdentity(one.image) : JSON.stringify(one), one);
  return [...found.values()];
}

/** The same images, by digests that nobody knows. */
function withoutDigest(image: ImageIdentity): ImageIdentity {
  const { digest: _digest, platforms: _platforms, ...rest } = image;
  return image.isPinned === true ? image : rest;
}

/** An image of which a run did not find out what it stands on: that is what it was known to be. */
export function ofUnknownBases(image: OutputImage, known: readonly ImageDependencies[]): ImageDependencies {
  const before = known.find((one) => one.image !== undefined && isSameName(one.image, image));
  const { runtime, buildTime = [] } = before ?? {};
  return {
    image: { ...image },
    ...(runtime && { runtime: withoutDigest(runtime) }),
    buildTime: buildTime.map(withoutDigest),
  };
}

/** What a run has made, and on what; `pushed` are its images, with the digests that their tags have, `known` is what was known before. */
export function imagesOfRun(
  { dependencies = [] }: Run,
  pushed: readonly OutputImage[],
  known: readonly ImageDependencies[],
): readonly ImageDependencies[] {
  const built = lastOfEach(dependencies).map(({ image, ...rest }) => {
    if (image === undefined) return rest;
    const digest = pushed.findLast((one) => isSameName(one, image))?.digest;
    return { image: { ...image, ...(digest !== undefined && { digest }) }, ...rest };
  });
  const others = pushed.filter((one) => !built.some((entry) => 'image' in entry && isSameName(entry.image, one)));
  return [...built, ...lastOfEach(others.map((image) => ofUnknownBases(image, known)))];
}
