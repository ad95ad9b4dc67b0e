import type { ImageIdentity } from '../domain/dependencies.ts';
import { fail } from '../domain/failure.ts';
import { formatImageIdentity, identifyImage, parseImageReference } from '../domain/image-reference.ts';

/** An image in the documents of base images and campaigns: its parts, and `reference`, a name to pull it by. */
export function imageEntry(image: ImageIdentity): object {
  const { registry, repository, tag, digest, isPinned } = image;
  return {
    registry,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
    ...(isPinned === true && { isPinned }),
    reference: formatImageIdentity(image),
  };
}

/**
 * The image that a text names, as the graph knows it: with its registry and its tag, `latest` where it has neither tag nor digest.
 * @throws `invalid-request` naming `field`.
 */
export function readImage(text: string, field: string): ImageIdentity {
  return identifyImage(parseImageReference(text, field));
}

/** The same for an image that can change: one that has a tag. */
export function readTaggedImage(text: string, field: string): ImageIdentity {
  const image = readImage(text, field);
  if (image.tag !== undefined) return image;
  throw fail('invalid-request', `${field} has no tag: what a digest stands for never changes`, {
    field,
    hint: 'write it as [registry/]repository:tag, with @digest behind the tag if you like',
  });
}
