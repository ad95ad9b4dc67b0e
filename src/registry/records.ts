import type { Digest } from '../domain/digest.ts';
import type { RepositoryName, Tag } from '../domain/image-reference.ts';
import type { RegistryEvent } from '../domain/event.ts';

/*
 * The documents that are the registry's truth, one small JSON object of the blob store each (keys: layout.ts).
 * Times are ISO 8601 in UTC. Fields may be added; readers leave alone what they do not know.
 */

/** How a manifest names another object. */
export interface ManifestReference {
  readonly digest: Digest;
  readonly kind: 'config' | 'layer' | 'manifest' | 'blob';
  readonly mediaType?: string;
  readonly size?: number;
  /** A layer that lies elsewhere and may be missing here (Windows base layers). */
  readonly foreign?: true;
}

/** What is kept in memory of a manifest. */
export interface ManifestRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly subject?: Digest;
  readonly createdTime: string;
  readonly updatedTime: string;
}

/** A manifest's membership of a repository: while this object is there, the manifest is. */
export interface ManifestDocument extends ManifestRecord {
  readonly version: 1;
  readonly configMediaType?: string;
  readonly references: readonly ManifestReference[];
  readonly pushedBy?: string;
}

/** One move of a tag, newest first in the history. */
export interface TagMove {
  readonly digest: Digest;
  readonly time: string;
  readonly by?: string;
  /** The id of the event that told of it. */
  readonly event: string;
}

export interface TagRecord {
  readonly digest: Digest;
  readonly createdTime: string;
  readonly updatedTime: string;
}

export interface TagDocument extends TagRecord {
  readonly version: 1;
  readonly name: Tag;
  readonly history: readonly TagMove[];
}

/** A blob's membership of a repository. */
export interface BlobLinkDocument {
  readonly version: 1;
  readonly digest: Digest;
  readonly size: number;
  readonly createdTime: string;
  readonly pushedBy?: string;
  readonly mountedFrom?: string;
}

/** Made with a repository's first manifest; the repository exists while it is there. */
export interface RepositoryDocument {
  readonly version: 1;
  readonly name: RepositoryName;
  readonly createdTime: string;
}

/** An upload that can be resumed; its bytes are staged in the blob store. */
export interface SessionDocument {
  readonly version: 1;
  readonly id: string;
  readonly repository: RepositoryName;
  readonly createdTime: string;
  readonly algorithm: 'sha256' | 'sha512';
  readonly by?: string;
}

/** An event that is to be told; written before the change it tells of, removed once it was told. */
export interface OutboxDocument {
  readonly version: 1;
  readonly event: RegistryEvent;
}

/** Says which of these layouts the store has. */
export interface LayoutDocument {
  readonly layout: number;
  readonly createdTime: string;
  readonly storeId: string;
}
