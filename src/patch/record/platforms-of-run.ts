import type { TaskImages } from '../../domain/base-image.ts';
import type { ImageDependencies, ImageIdentity } from '../../domain/dependencies.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { PlatformReader } from '../ports.ts';

/** An image that was made of the same recipe: it was read for the same platforms. A rebase names its base alone. */
function withNames(entry: ImageDependencies, known: TaskImages | undefined): ImageDependencies {
  const { runtime, recipe } = entry;
  if (runtime === undefined || runtime.platforms !== undefined || recipe === undefined) return entry;
  const before = known?.images.find((one) => one.recipe === recipe)?.runtime;
  const isSame = before !== undefined && formatImageIdentity(before) === formatImageIdentity(runtime);
  const { platforms } = (isSame ? before : undefined) ?? {};
  return platforms === undefined ? entry : { ...entry, runtime: { ...runtime, platforms } };
}

/** The reader, with what the task's record has of the same digests already: most bases stay the same from run to run. */
function withKnown(known: TaskImages | undefined, platformsOf: PlatformReader): PlatformReader {
  const nameOf = (image: ImageIdentity, platform: string): string =>
    [image.registry, image.repository, image.digest, platform].join(' ');
  const bases = (known?.images ?? []).flatMap(({ runtime, buildTime }) => [
    ...(runtime ? [runtime] : []),
    ...buildTime,
  ]);
  const manifests = new Map(
    bases.flatMap((base) => (base.platforms ?? []).map((one) => [nameOf(base, one.platform), one] as const)),
  );
  return async (image, platforms) => {
    const found = platforms.flatMap((platform) => manifests.get(nameOf(image, platform)) ?? []);
    const isWhole = found.length === platforms.length && found.every(({ digest }) => digest !== undefined);
    return isWhole ? found : platformsOf(image, platforms);
  };
}

async function withManifests(image: ImageIdentity, platformsOf: PlatformReader): Promise<ImageIdentity> {
  const { platforms, ...rest } = image;
  const { digest } = image;
  if (platforms === undefined || digest === undefined || image.isPinned === true) return rest;
  const names = platforms.map(({ platform }) => platform);
  return { ...rest, platforms: await platformsOf({ ...rest, digest }, names) };
}

/**
 * What a run's images stand on, with the manifests that each base has for the platforms that it was read for. Looked up when the run has
 * ended: by the digest that was built on, so that it is no matter what the tag stands for by then.
 */
export function findPlatforms(
  dependencies: readonly ImageDependencies[],
  known: TaskImages | undefined,
  platformsOf: PlatformReader,
): Promise<readonly ImageDependencies[]> {
  const read = withKnown(known, platformsOf);
  return Promise.all(
    dependencies.map(async (one): Promise<ImageDependencies> => {
      const { runtime, buildTime, ...rest } = withNames(one, known);
      return {
        ...rest,
        ...(runtime && { runtime: await withManifests(runtime, read) }),
        buildTime: await Promise.all(buildTime.map((image) => withManifests(image, read))),
      };
    }),
  );
}
