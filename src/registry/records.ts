import type { Digest } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/image-reference.ts';

/*
 * What the registry knows of each thing, in memory and in its journal (changes.ts). Times are ISO 8601 in UTC. Fields may be added;
 * readers leave alone what they do not know.
 */

/** How a manifest names another object. */
export interface ManifestReference {
  readonly digest: Digest;
  readonly kind: 'config' | 'layer' | 'manifest' | 'blob';
  readonly mediaType?: string;
  readonly size?: number;
  /** A layer that lies elsewhere and may be missing here (Windows base layers). */
  readonly foreign?: true;
  /** Of a child of an index. */
  readonly platform?: { readonly os?: string; readonly architecture?: string };
}

/** What can be done to a repository, tag or manifest, as Azure's `changeableAttributes`; what is absent is allowed. */
export interface Attributes {
  readonly deleteEnabled?: boolean;
  readonly writeEnabled?: boolean;
  readonly readEnabled?: boolean;
  readonly listEnabled?: boolean;
}

/** Whether a manifest may be used, where a repository asks for that to be found out first. */
export type QuarantineState = 'Quarantined' | 'Passed' | 'Failed';

/** A manifest's membership of a repository: while this record is there, the manifest is. */
export interface ManifestRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest itself. */
  readonly size: number;
  readonly artifactType?: string;
  readonly configMediaType?: string;
  readonly subject?: Digest;
  readonly references: readonly ManifestReference[];
  readonly createdTime: string;
  readonly updatedTime: string;
  readonly pushedBy?: string;
  readonly attributes?: Attributes;
  readonly quarantine?: QuarantineState;
  /** JSON of whoever decided about the quarantine. */
  readonly quarantineDetails?: string;
  /** Since when no tag stands for it; absent while one does. */
  readonly untaggedSince?: string;
  /** By whatever tag, or by its digest; absent: never since pulls are noted (pulls.ts). */
  readonly lastPulledTime?: string;
}

/** One move of a tag. */
export interface TagMove {
  readonly digest: Digest;
  readonly time: string;
  readonly by?: string;
}

export interface TagRecord {
  readonly digest: Digest;
  readonly createdTime: string;
  readonly updatedTime: string;
  readonly attributes?: Attributes;
  /** Where it pointed before, newest first; the present one is not among them. */
  readonly history: readonly TagMove[];
  readonly by?: string;
  /** Whatever it stood for then; absent: never since pulls are noted (pulls.ts). */
  readonly lastPulledTime?: string;
}

/** A blob's membership of a repository. */
export interface BlobRecord {
  readonly size: number;
  /** When it was last pushed, mounted, or said to be there: until some time after that it is not collected. */
  readonly touchedTime: string;
  readonly pushedBy?: string;
  readonly mountedFrom?: RepositoryName;
}

/** A manifest that was deleted and can be had back. */
export interface DeletedManifest {
  readonly manifest: ManifestRecord;
  /** The tags that stood for it. */
  readonly tags: readonly string[];
  readonly deletedTime: string;
  readonly deletedBy?: string;
}

/** Made with a repository's first manifest; the repository exists while it is there. */
export interface RepositoryRecord {
  readonly createdTime: string;
  readonly updatedTime: string;
  readonly attributes?: Attributes;
  /** It is being deleted, piece by piece: nobody sees it any more, and nothing can be pushed to it until it is gone. */
  readonly deleting?: { readonly since: string; readonly by?: string };
}

/** Bytes that no repository holds any more: first condemned (a push of the same bytes saves them), then removed. */
export interface CondemnedContent {
  readonly state: 'condemned' | 'removing';
  readonly since: string;
  /** The collector that removes them. */
  readonly by?: string;
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

/** Says which layout the store has. */
export interface LayoutDocument {
  readonly layout: number;
  readonly createdTime: string;
  readonly storeId: string;
  /** The older layout whose documents still lie in the store, though they count no more. */
  readonly leftovers?: 1;
}
