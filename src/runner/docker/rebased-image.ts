import type { Digest } from '../../domain/digest.ts';
import type { Tag } from '../../domain/image-reference.ts';

/** An image that was made in the registry and that no tag stands for yet. */
export interface RebasedImage {
  /** Makes a tag of the repository stand for it. Rejects with a RegistryRefusal. */
  moveTag(name: { readonly repository: string; readonly tag: Tag }, signal: AbortSignal): Promise<Digest>;
}
