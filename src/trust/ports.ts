import type { Digest } from '../domain/digest.ts';

/**
 * Where signatures are read from: one repository. Every method rejects only when the store cannot be read; then nothing
 * is known, and the caller must not let the image out.
 */
export interface SignatureSource {
  /**
   * The digests of the manifests that may sign the image: the manifest tagged `sha256-<hex>.sig` first, then its
   * referrers whose artifact type {@link isSignatureType} knows, oldest first. Cheap: asked at every pull.
   */
  listSignatures(image: Digest): Promise<readonly Digest[]>;
  /** A manifest's bytes; undefined when it is not stored or longer than `maxBytes`. */
  readManifest(digest: Digest, maxBytes: number): Promise<Uint8Array | undefined>;
  /** A blob's bytes; undefined when it is not stored or longer than `maxBytes`. */
  readBlob(digest: Digest, maxBytes: number): Promise<Uint8Array | undefined>;
}

/** A repository as a pull sees it. */
export interface ImageSource extends SignatureSource {
  /** The indexes of the same repository that name this manifest among theirs. */
  listIndexes(manifest: Digest): Promise<readonly Digest[]>;
}

export type { Refusal, Signer, Verdict } from '../domain/registry-trust.ts';
