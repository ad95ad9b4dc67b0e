import { isDigest, type Digest } from '../domain/digest.ts';
import { refuse } from './refusal.ts';

/** An image as its registry has it, parsed from JSON and otherwise unchecked. */
export interface ImageDocuments {
  readonly manifest: unknown;
  readonly config: unknown;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** Members of an object whose types are not known. */
export type Fields = Readonly<Record<string, unknown>>;

/** An image that was checked as far as rebasing needs it. */
export interface CheckedImage {
  /** Of its manifest. */
  readonly mediaType: ManifestType;
  readonly layers: readonly Descriptor[];
  /** The digests of the unpacked layers, one for each of them. */
  readonly diffIds: readonly Digest[];
  /** `linux/amd64`. */
  readonly platform: string;
  /** What containers of it are begun with (image-spec, config.md, "config"). */
  readonly settings: Fields;
  readonly history: readonly Fields[];
  /** The whole configuration. */
  readonly document: Fields;
}

/** The two families of manifests: those of Docker (version 2, schema 2) and those of OCI. */
export const manifestTypes = {
  'application/vnd.docker.distribution.manifest.v2+json': {
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    plainLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  },
  'application/vnd.oci.image.manifest.v1+json': {
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
    plainLayer: 'application/vnd.oci.image.layer.v1.tar',
  },
} as const;

const layerTypes: ReadonlySet<string> = new Set(
  Object.values(manifestTypes).flatMap(({ layer, plainLayer }) => [layer, plainLayer]),
);

export type ManifestType = keyof typeof manifestTypes;

function isManifestType(text: string): text is ManifestType {
  return Object.hasOwn(manifestTypes, text);
}

/** True for an object that is no list. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of that name as an object; empty when it is none. */
export function fieldsIn(fields: Fields, name: string): Fields {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return isFields(value) ? value : {};
}

/** The member of that name as a list; empty when it is none. */
export function listIn(fields: Fields, name: string): readonly unknown[] {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** The member of that name as a text; undefined when it is none. */
export function textIn(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The media type of a layer, as the other layers of its manifest have it. */
function readLayer(value: unknown, what: string): Descriptor {
  const fields = isFields(value) ? value : {};
  const mediaType = textIn(fields, 'mediaType') ?? '';
  const digest = textIn(fields, 'digest') ?? '';
  const size = fields['size'];
  if (!layerTypes.has(mediaType)) return refuse(`${what} has a layer of the type "${mediaType.slice(0, 100)}"`);
  if (!isDigest(digest) || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    return refuse(`the manifest of ${what} has a layer that is none`);
  }
  return { mediaType, digest, size };
}

function readDiffIds(config: Fields, what: string): readonly Digest[] {
  return listIn(fieldsIn(config, 'rootfs'), 'diff_ids').map((id) =>
    typeof id === 'string' && isDigest(id) ? id : refuse(`the configuration of ${what} names a layer that is none`),
  );
}

/** Variants that say no more than their architecture does (image-spec, "Platform Variants"). */
const plainVariants: Readonly<Record<string, string>> = { arm64: 'v8', arm: 'v7' };

function readPlatform(config: Fields, what: string): string {
  const os = textIn(config, 'os') ?? '';
  const architecture = textIn(config, 'architecture') ?? '';
  const variant = textIn(config, 'variant') ?? '';
  if (os === '' || architecture === '') return refuse(`the configuration of ${what} does not say its platform`);
  const isPlain = variant === '' || plainVariants[architecture] === variant;
  return [os, architecture, ...(isPlain ? [] : [variant])].join('/');
}

/**
 * Reads the documents of an image; `what` names it in what is said: `the new base`.
 * @throws Refusal when they are not those of one image that can be taken apart.
 */
export function checkImage({ manifest, config }: ImageDocuments, what: string): CheckedImage {
  if (!isFields(manifest) || !isFields(config)) return refuse(`${what} is no image`);
  const mediaType = textIn(manifest, 'mediaType') ?? 'application/vnd.oci.image.manifest.v1+json';
  if (!isManifestType(mediaType)) return refuse(`${what} is no single image, but "${mediaType.slice(0, 100)}"`);
  const layers = listIn(manifest, 'layers').map((layer) => readLayer(layer, what));
  const diffIds = readDiffIds(config, what);
  if (layers.length !== diffIds.length) return refuse(`manifest and configuration of ${what} name different layers`);
  const history = listIn(config, 'history').map((entry) => (isFields(entry) ? entry : {}));
  const platform = readPlatform(config, what);
  return { mediaType, layers, diffIds, platform, settings: fieldsIn(config, 'config'), history, document: config };
}
