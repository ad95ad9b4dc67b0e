import type { Access } from '../access/access.ts';
import type { ManifestRooms } from '../manifests.ts';
import type { ImageFactReader } from './image-facts.ts';

/** All that the handlers of `/acr/v1` need. */
export interface AcrRooms extends ManifestRooms {
  readonly access: Access;
  readonly facts: ImageFactReader;
}
