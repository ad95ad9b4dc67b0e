import { createHash } from 'node:crypto';
import { isDigest, splitDigest, type Digest } from '../domain/digest.ts';

/** What something in a registry is called by (OCI image-spec, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Readonly<Record<string, unknown>>;
}

/** A document in a registry: its bytes, and what they are. */
export interface RegistryDocument {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export const mediaTypes = {
  image: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  dockerImage: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  /** Of OCI 1.1's drafts; some registries still hold such. */
  artifact: 'application/vnd.oci.artifact.manifest.v1+json',
} as const;

/** What a registry is asked for: every kind of manifest that an image can have. */
export const manifestTypes = [mediaTypes.index, mediaTypes.dockerList, mediaTypes.image, mediaTypes.dockerImage].join(
  ', ',
);

/** The same, and what else a registry may hold. */
export const allManifestTypes = `${manifestTypes}, ${mediaTypes.artifact}`;

/** `sha256:…` of bytes. */
export function sha256Of(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** Whether bytes are those that a digest stands for, by its own algorithm. */
export function hasDigest(bytes: Uint8Array, digest: Digest): boolean {
  const { algorithm, hex } = splitDigest(digest);
  return createHash(algorithm).update(bytes).digest('hex') === hex;
}

export type Fields = Readonly<Record<string, unknown>>;

/** The members of a JSON object; none of anything else. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** Parses a JSON object; undefined for anything else. */
export function parseFields(bytes: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fieldsOf(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Reads a descriptor; undefined when it has no media type, digest or size. */
export function readDescriptor(value: unknown): Descriptor | undefined {
  const { mediaType, digest, size, artifactType, annotations, platform } = fieldsOf(value);
  const isSize = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0;
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest) || !isSize) return undefined;
  return {
    ...{ mediaType, digest, size },
    ...(typeof artifactType === 'string' && { artifactType }),
    ...(annotations !== undefined && { annotations: textsIn(annotations) }),
    ...(platform !== undefined && { platform: fieldsOf(platform) }),
  };
}
