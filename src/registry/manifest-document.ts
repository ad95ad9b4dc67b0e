import { isDigest, type Digest } from '../domain/digest.ts';
import { jsonDepthOf } from '../domain/json-depth.ts';
import { oci } from './errors.ts';
import type { ManifestReference } from './records.ts';

const imageTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
/** Withdrawn from OCI 1.1 before its release; older clients still push it. */
const artifactManifestType = 'application/vnd.oci.artifact.manifest.v1+json';
const foreignLayer = /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/;

/** What the registry needs to know of a manifest; its bytes are kept as they came. */
export interface ParsedManifest {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly configMediaType?: string;
  readonly subject?: Digest;
  readonly references: readonly ManifestReference[];
}

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a manifest (OCI image-spec 1.1, Docker image manifest v2 schema 2). Unknown fields are nobody's business.
 * @param contentType the header it was sent with; its parameters do not matter.
 * @throws MANIFEST_INVALID saying what is wrong.
 */
export function parseManifest(bytes: Buffer, contentType: string | undefined, jsonDepth: number): ParsedManifest {
  const json = parseJson(bytes, jsonDepth);
  const mediaType = chooseMediaType(json, contentType);
  refuseAmbiguous(json, mediaType);
  refuseBadAnnotations(json['annotations']);
  if (json['schemaVersion'] !== 2 && mediaType !== artifactManifestType) throw invalid('schemaVersion must be 2');
  const artifactType = textOf(json['artifactType']);
  const configMediaType = isObject(json['config']) ? textOf(json['config']['mediaType']) : undefined;
  const subject = json['subject'] ?? undefined;
  return {
    mediaType,
    references: readReferences(json, mediaType),
    ...definedOf({ artifactType: artifactType ?? configMediaType, configMediaType }),
    ...(subject !== undefined && { subject: readDescriptor(subject, 'subject', 'manifest').digest }),
  };
}

/** A text that says something. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The fields that have a value. */
function definedOf(
  fields: Record<'artifactType' | 'configMediaType', string | undefined>,
): Partial<Record<keyof typeof fields, string>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Reads a JSON object in UTF-8. @throws MANIFEST_INVALID saying what is wrong. */
export function parseJson(bytes: Buffer, jsonDepth: number): Json {
  if (jsonDepthOf(bytes) > jsonDepth) throw invalid(`it nests deeper than ${String(jsonDepth)} levels`);
  let value: unknown;
  try {
    // A byte order mark stays, and is refused: what reads the manifest later stumbles over it (RFC 8259 §8.1).
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw invalid('it is no JSON document in UTF-8');
  }
  if (!isObject(value)) throw invalid('it is no JSON object');
  return value;
}

function chooseMediaType(json: Json, contentType = ''): string {
  const sent = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const own = json['mediaType'] ?? sent;
  if (typeof own !== 'string') throw invalid('mediaType is no string');
  if (sent !== '' && own.toLowerCase() !== sent) throw invalid(`it was sent as ${sent}, but says that it is ${own}`);
  if (own === '') throw invalid('neither Content-Type nor mediaType says what it is');
  if ([...imageTypes, ...indexTypes, artifactManifestType].includes(own)) return own;
  throw invalid(`${own.slice(0, 120)} is no kind of manifest that this registry keeps`);
}

/** A document that is an image to one reader and an index to another has two meanings under one digest (CVE-2021-41190). */
function refuseAmbiguous(json: Json, mediaType: string): void {
  const others = indexTypes.includes(mediaType)
    ? ['config', 'layers']
    : imageTypes.includes(mediaType)
      ? ['manifests']
      : [];
  const other = others.find((field) => (json[field] ?? undefined) !== undefined);
  if (other !== undefined) throw invalid(`${mediaType} has no ${other}`);
}

/** Referrers are listed with their annotations: one that no client can read would spoil the whole list (image-spec, "Annotations"). */
function refuseBadAnnotations(annotations: unknown): void {
  if (annotations === undefined || annotations === null) return;
  if (isObject(annotations) && Object.values(annotations).every((value) => typeof value === 'string')) return;
  throw invalid('annotations is no map of texts');
}

function readReferences(json: Json, mediaType: string): ManifestReference[] {
  if (indexTypes.includes(mediaType)) return readList(json, 'manifests', 'manifest');
  if (mediaType === artifactManifestType) return json['blobs'] === undefined ? [] : readList(json, 'blobs', 'blob');
  return [readDescriptor(json['config'], 'config', 'config'), ...readList(json, 'layers', 'layer')];
}

function readList(json: Json, field: string, kind: ManifestReference['kind']): ManifestReference[] {
  const list = json[field];
  if (!Array.isArray(list)) throw invalid(`${field} is no list`);
  return list.map((each: unknown, index) => readDescriptor(each, `${field}[${String(index)}]`, kind));
}

function readDescriptor(value: unknown, field: string, kind: ManifestReference['kind']): ManifestReference {
  if (!isObject(value)) throw invalid(`${field} is no descriptor`);
  const { digest, size, mediaType } = readContent(value, field);
  const { platform } = value;
  const isForeign = kind === 'layer' && foreignLayer.test(mediaType);
  const runsOn = kind === 'manifest' && isObject(platform) ? readPlatform(platform) : undefined;
  return { digest, kind, mediaType, size, ...(isForeign && { foreign: true }), ...(runsOn && { platform: runsOn }) };
}

/** The three fields that every descriptor has. */
function readContent(
  { digest, size, mediaType }: Json,
  field: string,
): Required<Pick<ManifestReference, 'digest' | 'size' | 'mediaType'>> {
  if (typeof digest !== 'string' || !isDigest(digest)) throw invalid(`${field}.digest is no sha256 or sha512 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalid(`${field}.size is no size`);
  if (typeof mediaType !== 'string') throw invalid(`${field}.mediaType is no string`);
  return { digest, size, mediaType };
}

function readPlatform(platform: Json): NonNullable<ManifestReference['platform']> {
  const [os, architecture] = [textOf(platform['os']), textOf(platform['architecture'])];
  return { ...(os !== undefined && { os }), ...(architecture !== undefined && { architecture }) };
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(why: string): Error {
  return oci('MANIFEST_INVALID', `the manifest cannot be accepted: ${why}`);
}
