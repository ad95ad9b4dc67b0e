import type { Digest } from './digest.ts';

/** What an image has for one platform. */
export interface PlatformManifest {
  /** `linux/amd64`, `linux/arm/v7`: without a variant that goes without saying. */
  readonly platform: string;
  /** The platform's own manifest behind the image's digest: that digest itself where it is no index. Absent: nobody learned it. */
  readonly digest?: Digest;
}

/** An image as a dependency names it: with its registry always said, and Docker Hub's short names written out (`library/node`). */
export interface ImageIdentity {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  /** What the name stood for when the step ran; absent when nobody learned it. */
  readonly digest?: Digest;
  /** True: the reference itself names the digest, so that whatever becomes of its tag does not matter. */
  readonly isPinned?: boolean;
  /** What is known of it by platform: of a base for those that it is read for, all of them. Absent: not known. */
  readonly platforms?: readonly PlatformManifest[];
}

/** What an image stands on. */
export interface ImageDependencies {
  /** The image that was made; absent when the build gave it no name. */
  readonly image?: ImageIdentity;
  /** The image that the target stage begins with, through other stages; absent for `scratch`. */
  readonly runtime?: ImageIdentity;
  /** Every other image that the build reads: bases of other stages, `COPY --from`, `RUN --mount=from`, syntax front ends; each once. */
  readonly buildTime: readonly ImageIdentity[];
  /** The commit of the context, where it came from git. */
  readonly commit?: string;
  /** What tells the files of the context from others, wherever they came from (`Context.revision`). Absent: not known. */
  readonly revision?: string;
  /**
   * A digest of the Dockerfile and of how it was built, labels and values of secret arguments apart: the same recipe, of the same revision and
   * the same images, makes the same image. Absent: not known.
   */
  readonly recipe?: string;
}
