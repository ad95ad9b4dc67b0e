import type { FailureReason } from './failure.ts';
import type { RepositoryName, Tag } from './image-reference.ts';
import type { RegistryCredential } from './run-request.ts';

/*
 * Imports: images of another registry, or of another repository of our own, copied by digest into our registry (azure-api.md, importImage).
 * Sizes are bytes, times ISO 8601.
 */

export interface ImportSource {
  /** As images name it, in lower case; undefined: our own. */
  readonly registry?: string;
  readonly repository: string;
  /** A tag or digest. */
  readonly reference: string;
  readonly credential?: RegistryCredential;
}

export interface ImportTarget {
  readonly repository: RepositoryName;
  /** Left out: by its digest alone. */
  readonly tag?: Tag;
}

export interface ImportOrder {
  readonly source: ImportSource;
  /** At least one. */
  readonly targets: readonly ImportTarget[];
  /** Moves tags that are there already. */
  readonly isForced: boolean;
  /** The images of an index that are copied, `linux/amd64`; all when left out. */
  readonly platforms?: readonly string[];
  /** Copies along what is about the images: signatures, SBOMs, attestations. */
  readonly withReferrers: boolean;
}

/** How far an import has come. */
export interface ImportProgress {
  /** Blobs that are there by now: sent, or found. */
  readonly blobs: number;
  /** Blobs that are known of by now. */
  readonly knownBlobs: number;
  /** Bytes that were fetched, and those that are to be fetched in all. */
  readonly bytes: number;
  readonly knownBytes: number;
  readonly manifests: number;
}

export interface ImportJob {
  readonly id: string;
  readonly state: 'running' | 'succeeded' | 'failed';
  /** `ghcr.io/team/app:v1` */
  readonly source: string;
  /** `team/app:v1`, `team/app` */
  readonly targets: readonly string[];
  readonly by: string;
  readonly startedTime: string;
  readonly updatedTime: string;
  readonly progress: ImportProgress;
  /** What the tags stand for now. */
  readonly digest?: string;
  readonly error?: { readonly reason: FailureReason; readonly message: string; readonly hint?: string };
}

/** Where images are imported. */
export interface ImportDesk {
  /**
   * Begins an import. The same order while it is under way is the same import; after it failed, what was copied is not copied again.
   * @throws `conflict` for a tag that is there and may not be moved, `invalid-request`.
   */
  start(order: ImportOrder, who: string): Promise<ImportJob>;
  /** Of any process; undefined when there is none, or it was over a day ago. */
  get(id: string): Promise<ImportJob | undefined>;
}
