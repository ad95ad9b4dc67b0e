import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { LRUCache } from 'lru-cache';
import type { Digest } from '../../domain/digest.ts';
import { parseManifest, type ParsedManifest } from '../manifest-document.ts';
import type { ManifestReference } from '../records.ts';
import { areSameNotes, isSameConfig, readObject } from './documents.ts';
import { fingerprintLayer } from './layer.ts';

/** Where the bytes of images come from; undefined: they are not there. */
export interface ImageBytes {
  manifest(digest: Digest): Promise<Buffer | undefined>;
  /** A configuration, whole. */
  small(digest: Digest): Promise<Buffer | undefined>;
  layer(digest: Digest): Promise<Readable | undefined>;
}

/** What a comparison may cost; more of it, and images count as different. */
export interface CompareBounds {
  /** Of one layer, unpacked. */
  readonly maxLayerBytes: number;
  readonly maxLayerEntries: number;
  /** Of the whole comparison, milliseconds. */
  readonly timeoutMs: number;
}

export const defaultCompareBounds: CompareBounds = {
  maxLayerBytes: 4 * 1024 ** 3,
  maxLayerEntries: 1_000_000,
  timeoutMs: 120_000,
};

const maxDepth = 64;
const imageConfigs: readonly (string | undefined)[] = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
];
/** tar and tar with gzip; other compressions cannot be looked into. */
const layerPattern =
  /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)(?:[.+](gzip))?$/;

/** How a comparison goes: its bytes, its bounds, and when it is over. */
interface Comparison {
  readonly bytes: ImageBytes;
  readonly bounds: CompareBounds;
  readonly signal: AbortSignal;
  readonly fingerprints: LRUCache<string, string>;
}

type Json = Readonly<Record<string, unknown>>;

async function fingerprint(comparison: Comparison, layer: ManifestReference): Promise<string | undefined> {
  const known = comparison.fingerprints.get(layer.digest);
  if (known !== undefined) return known;
  const match = layerPattern.exec(layer.mediaType ?? '');
  if (match === null) return undefined;
  const { bytes, bounds, signal } = comparison;
  const limits = { maxBytes: bounds.maxLayerBytes, maxEntries: bounds.maxLayerEntries, signal };
  const found = await fingerprintLayer(() => bytes.layer(layer.digest), match[1] !== undefined, limits);
  if (found !== undefined) comparison.fingerprints.set(layer.digest, found);
  return found;
}

async function isSameLayer(comparison: Comparison, a: ManifestReference, b: ManifestReference): Promise<boolean> {
  if (a.digest === b.digest) return true;
  const [one, other] = await Promise.all([fingerprint(comparison, a), fingerprint(comparison, b)]);
  return one !== undefined && one === other;
}

async function areSameConfigs(comparison: Comparison, a: ManifestReference, b: ManifestReference): Promise<boolean> {
  if (a.digest === b.digest) return true;
  if (!imageConfigs.includes(a.mediaType) || a.mediaType !== b.mediaType) return false;
  const [one, other] = await Promise.all([comparison.bytes.small(a.digest), comparison.bytes.small(b.digest)]);
  const [left, right] = [one && readObject(one), other && readObject(other)];
  return left !== undefined && right !== undefined && isSameConfig(left, right);
}

/** A manifest, what it names, and its own members. */
interface Manifest extends ParsedManifest {
  readonly json: Json;
}

async function readOne({ bytes }: Comparison, digest: Digest): Promise<Manifest | undefined> {
  const found = await bytes.manifest(digest);
  if (found === undefined) return undefined;
  const json = readObject(found);
  return json && { json, ...parseManifest(found, undefined, maxDepth) };
}

async function areSameImages(comparison: Comparison, a: Manifest, b: Manifest): Promise<boolean> {
  const [[configA, ...layersA], [configB, ...layersB]] = [a.references, b.references];
  if (configA === undefined || configB === undefined || layersA.length !== layersB.length) return false;
  if (!(await areSameConfigs(comparison, configA, configB))) return false;
  for (const [at, layer] of layersA.entries()) {
    const other = layersB[at];
    if (other === undefined || !(await isSameLayer(comparison, layer, other))) return false;
  }
  return true;
}

/** Statements about how an image was built come with every build, and name its times. */
function isAttestation(child: Json): boolean {
  const notes = child['annotations'] as Json | undefined;
  return notes?.['vnd.docker.reference.type'] === 'attestation-manifest';
}

function childrenOf({ json }: Manifest): readonly Json[] {
  const list = json['manifests'];
  return Array.isArray(list) ? (list as readonly Json[]).filter((child) => !isAttestation(child)) : [];
}

async function areSameIndexes(comparison: Comparison, a: Manifest, b: Manifest): Promise<boolean> {
  const [left, right] = [childrenOf(a), childrenOf(b)];
  if (left.length !== right.length || left.length === 0) return false;
  for (const [at, child] of left.entries()) {
    const other = right[at] ?? {};
    if (!isDeepStrictEqual(child['platform'], other['platform'])) return false;
    if (!areSameNotes(child['annotations'], other['annotations'])) return false;
    if (!(await areSame(comparison, child['digest'] as Digest, other['digest'] as Digest))) return false;
  }
  return true;
}

async function areSame(comparison: Comparison, a: Digest, b: Digest): Promise<boolean> {
  if (a === b) return true;
  const [one, other] = await Promise.all([readOne(comparison, a), readOne(comparison, b)]);
  if (one === undefined || other === undefined) return false;
  if (one.mediaType !== other.mediaType) return false;
  if (one.subject !== undefined || other.subject !== undefined) return false;
  if (!areSameNotes(one.json['annotations'], other.json['annotations'])) return false;
  const compare = Array.isArray(one.json['manifests']) ? areSameIndexes : areSameImages;
  return compare(comparison, one, other);
}

/** Compares two images by their digests; `atHand` are manifests and configurations that are not in the store yet. */
export type Comparer = (a: Digest, b: Digest, atHand?: ReadonlyMap<Digest, Buffer>) => Promise<boolean>;

/**
 * Says whether two images are the same but for times: the same kind of manifest, configurations that differ in nothing that a container
 * sees, and layers that hold the same entries in the same order. On any doubt (bytes that are missing or broken, a compression that cannot
 * be read, more than the bounds allow) they are different. Never rejects.
 */
export function createComparer(stored: ImageBytes, bounds: CompareBounds = defaultCompareBounds): Comparer {
  const fingerprints = new LRUCache<string, string>({ max: 10_000 });
  return async (a, b, atHand = new Map()) => {
    const bytes: ImageBytes = {
      ...stored,
      manifest: async (digest) => atHand.get(digest) ?? stored.manifest(digest),
      small: async (digest) => atHand.get(digest) ?? stored.small(digest),
    };
    const comparison = { bytes, bounds, fingerprints, signal: AbortSignal.timeout(bounds.timeoutMs) };
    return areSame(comparison, a, b).catch(() => false);
  };
}
