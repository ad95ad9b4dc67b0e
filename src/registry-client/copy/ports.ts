import type { Readable } from 'node:stream';
import type { Digest } from '../../domain/digest.ts';
import type { Descriptor, RegistryDocument } from '../documents.ts';
import type { RepositoryPlace } from '../ports.ts';

/** A blob on its way. */
export interface CopiedBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
  /**
   * Its bytes from the first on, checked as they pass: a stream that ends is right, one that is wrong ends with an error. May be called again
   * when they are needed once more.
   */
  readonly open: () => Promise<Readable>;
  /** The repository that it comes from, where that is one of a registry. */
  readonly from?: RepositoryPlace | undefined;
}

/**
 * A repository that images are copied from or to: of a remote registry, or of our own store. Calls may run at once. Everything rejects
 * with a FailureError, or with the reason of the signal with which the end was made.
 */
export interface CopyEnd {
  /** For messages: `ghcr.io/team/app`. */
  readonly name: string;
  /** Where it is, if it is a registry's: blobs of the same registry need not be sent. */
  readonly place?: RepositoryPlace;
  /** What a tag or digest stands for; undefined when there is none. */
  readManifest(reference: string): Promise<RegistryDocument | undefined>;
  hasManifest(digest: Digest): Promise<boolean>;
  hasBlob(digest: Digest): Promise<boolean>;
  /** The bytes as they come: whoever reads them checks them. */
  openBlob(digest: Digest, size: number): Promise<Readable>;
  /** Stores a blob; nothing of it is to be seen when its stream ends with an error, which this rejects with. */
  writeBlob(blob: CopiedBlob): Promise<void>;
  /** Stores a manifest under a tag, or under its digest alone; all that it names is there, but for foreign layers and its subject. */
  writeManifest(reference: string, manifest: RegistryDocument): Promise<void>;
  /** The manifests whose subject this one is. */
  listReferrers(digest: Digest): Promise<readonly Descriptor[]>;
}

/** How far a copy has come. */
export interface CopyProgress {
  /** Blobs that were sent, and those that were there. */
  readonly blobs: number;
  readonly skippedBlobs: number;
  /** Blobs that are known of by now. */
  readonly knownBlobs: number;
  /** Bytes of blobs that were sent. */
  readonly bytes: number;
  /** Bytes of all blobs that are to be sent, as far as is known by now. */
  readonly knownBytes: number;
  /** Manifests and indexes that were written. */
  readonly manifests: number;
}

/** Bounds of one copy. */
export interface CopyLimits {
  /** Bytes of one manifest; 4 MiB when left out. */
  readonly manifestBytes: number;
  /** How deep indexes may lie in each other, and referrers of referrers; 4 when left out. */
  readonly depth: number;
  /** Manifests and indexes in all; 1000 when left out. */
  readonly manifests: number;
  /** Bytes of all blobs; no bound when left out. */
  readonly bytes: number;
  /** Blobs at once; 4 when left out. */
  readonly atOnce: number;
}

export interface CopyOptions {
  /** The tag or digest that is copied. */
  readonly reference: string;
  /** Under which tag; by its digest alone when left out. */
  readonly tag?: string | undefined;
  /** `linux/amd64`, `linux/arm64/v8` …: the images of an index that are copied; all when left out. The index is another one then. */
  readonly platforms?: readonly string[] | undefined;
  /** Copies along what is about the images: signatures, SBOMs, attestations, by referrers and by the tags that cosign makes. */
  readonly referrers?: boolean | undefined;
  readonly limits?: Partial<CopyLimits>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

/** What a copy came to. */
export interface CopyResult extends CopyProgress {
  /** What lies in the target now. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** What the source has; another one when platforms were left out. */
  readonly sourceDigest: Digest;
  /** Manifests about the images that were found. */
  readonly referrers: number;
}
