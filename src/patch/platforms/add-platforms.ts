import { referenceKeyOf } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { ImageGraph } from '../graph/image-graph.ts';
import { platformsToCompare } from '../graph/platforms.ts';
import type { PlatformReader } from '../ports.ts';

/** An image with what it has for the platforms that matter to what stands on it; as it is where it has no digest, or none of them matters. */
export async function addPlatforms<T extends ImageIdentity>(
  graph: ImageGraph,
  image: T,
  platformsOf: PlatformReader,
): Promise<T> {
  const { digest } = image;
  if (digest === undefined) return image;
  const used = [...graph.dependants(referenceKeyOf(image) ?? '')].flatMap(({ base }) => base.used);
  const found = await platformsOf({ ...image, digest }, platformsToCompare(used, digest));
  const platforms = found.filter((one) => one.digest !== undefined);
  return platforms.length === 0 ? image : { ...image, platforms };
}
