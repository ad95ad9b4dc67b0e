import { isDigest, type Digest } from '../domain/digest.ts';
import { isObject, listAt, objectAt, readJson, textAt, type Json } from './json.ts';
import { limits } from './limits.ts';
import type { SignatureSource } from './ports.ts';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const imageIndexes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

/**
 * What container engines take for the config of an image that can be run. podman 4.3 looks at this type alone: layers
 * that call themselves signatures it unpacks all the same, and in a Docker manifest even this type may not matter.
 */
const runnableConfigs = [
  '',
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  'application/octet-stream',
  'application/json',
  'text/html',
];

/**
 * True for a manifest that holds only documents about an image (signatures, attestations, SBOMs, scan reports), which a
 * verifier must be able to pull before the image is trusted. What the manifest says of itself (subject, artifact type,
 * tag) does not decide it, since a hostile image could say the same: all its layers must be of a document's type, and
 * where an engine might still unpack them (cosign's classic manifests have an image's config) they must be text.
 * A list of such documents (the tag `sha256-<hex>` of registries without a referrers API) is one too; what it lists is
 * judged when it is pulled.
 */
export async function holdsOnlyDocuments(digest: Digest, source: SignatureSource): Promise<boolean> {
  const manifest = await source.readManifest(digest, limits.manifestBytes);
  const json = manifest === undefined ? undefined : readJson(manifest, limits.jsonDepth);
  if (!isObject(json)) return false;
  if (isIndex(json)) return json['layers'] === undefined && listAt(json, 'manifests').every(isDocumentEntry);
  const layers = listAt(json, 'layers').map((layer) => (isObject(layer) ? layer : {}));
  if (layers.length === 0 || layers.length > limits.layers || !layers.every(isDocumentLayer)) return false;
  return isArtifact(json) || areTexts(layers, source);
}

/** True when no engine takes the manifest for an image. */
function isArtifact(json: Json): boolean {
  const config = textAt(objectAt(json, 'config'), 'mediaType') ?? '';
  return json['mediaType'] === ociManifest && !runnableConfigs.includes(config.toLowerCase());
}

function isIndex(json: Json): boolean {
  return imageIndexes.includes(textAt(json, 'mediaType') ?? '') || ('manifests' in json && !('config' in json));
}

function isDocumentEntry(entry: unknown): boolean {
  return isObject(entry) && textAt(entry, 'artifactType') !== undefined && entry['platform'] === undefined;
}

/** JSON, XML, text and COSE. An engine reads `….image.layer.v1.tar+json` as a tar archive, whatever its ending. */
function isDocumentLayer(layer: Json): boolean {
  const type = (textAt(layer, 'mediaType') ?? '').toLowerCase().split(';')[0]?.trim() ?? '';
  if (/tar|layer|rootfs|docker|\.image\./.test(type)) return false;
  return /^(?:application\/(?:json|cose)|text\/[a-z0-9.-]+|[a-z]+\/[a-z0-9.-]+\+(?:json|xml))$/.test(type);
}

async function areTexts(layers: readonly Json[], source: SignatureSource): Promise<boolean> {
  let left: number = limits.totalBytes;
  for (const layer of layers) {
    const digest = textAt(layer, 'digest') ?? '';
    const bytes = isDigest(digest) ? await source.readBlob(digest, left) : undefined;
    if (bytes === undefined || !isText(bytes)) return false;
    left -= bytes.length;
  }
  return true;
}

/**
 * UTF-8 without NUL is nothing in gzip, xz or zstd. Of the compressions bzip2 alone begins with letters, and a tar archive
 * may be all text (even JSON, the files in one of its strings), but for the sum that its first header must bear.
 */
function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0) || isTarHeader(bytes)) return false;
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(bytes).startsWith('BZh');
  } catch {
    return false;
  }
}

/** True when the bytes begin with a header of tar: in octal at 148, the sum of its 512 bytes, those eight as spaces. */
function isTarHeader(bytes: Uint8Array): boolean {
  if (bytes.length < 512) return false;
  const header = Buffer.from(bytes.subarray(0, 512));
  const written = Number.parseInt(header.toString('latin1', 148, 156).trim(), 8);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  const signed = header.reduce((total, byte) => total + (byte < 0x80 ? byte : byte - 0x100), 0);
  return written === sum || written === signed;
}
