import { createHash } from 'node:crypto';
import { isDigest, splitDigest, type Digest } from '../domain/digest.ts';
import { isRepositoryName, type RepositoryName } from '../domain/image-reference.ts';
import { broughtBytes, wholeImageType } from '../registry-client/manifests.ts';
import { oci } from './errors.ts';
import { isObject, parseJson } from './manifest-document.ts';

/** What comes with a manifest so that an image is one request and one commit. */
export interface Brought {
  /** Small blobs that the manifest names. */
  readonly blobs: ReadonlyMap<Digest, Buffer>;
  /** The repositories from which blobs are taken over that are not in the manifest's own. */
  readonly from: readonly RepositoryName[];
}

/** A manifest as it was sent. */
export interface SentManifest {
  readonly bytes: Buffer;
  readonly contentType: string | undefined;
  readonly brought: Brought;
}

const mostBlobs = 16;
const mostSources = 16;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Takes what was sent apart: a manifest alone, or a whole image. @throws MANIFEST_INVALID, DIGEST_INVALID and SIZE_INVALID, saying what is wrong. */
export function openSent(bytes: Buffer, contentType: string | undefined, jsonDepth: number): SentManifest {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  if (type !== wholeImageType) return { bytes, contentType, brought: { blobs: new Map(), from: [] } };
  const { manifest, blobs = [], from = [] } = parseJson(bytes, jsonDepth);
  if (!isObject(manifest) || typeof manifest['mediaType'] !== 'string')
    throw oci('MANIFEST_INVALID', 'manifest.mediaType is no text');
  return {
    bytes: readData(manifest['data'], 'manifest'),
    contentType: manifest['mediaType'],
    brought: { blobs: readBlobs(blobs), from: readSources(from) },
  };
}

function readData(data: unknown, field: string): Buffer {
  if (typeof data === 'string' && data.length % 4 === 0 && base64.test(data)) return Buffer.from(data, 'base64');
  throw oci('MANIFEST_INVALID', `${field}.data is no base64`);
}

function listOf(value: unknown, field: string, most: number): readonly unknown[] {
  if (Array.isArray(value) && value.length <= most) return value;
  throw oci('MANIFEST_INVALID', `${field} is no list of at most ${String(most)}`);
}

function readBlobs(value: unknown): ReadonlyMap<Digest, Buffer> {
  return new Map(listOf(value, 'blobs', mostBlobs).map((one, at) => readBlob(one, `blobs[${String(at)}]`)));
}

function readBlob(value: unknown, field: string): readonly [Digest, Buffer] {
  const { digest, data } = isObject(value) ? value : {};
  if (typeof digest !== 'string' || !isDigest(digest))
    throw oci('DIGEST_INVALID', `${field}.digest is no sha256 or sha512 digest`);
  const bytes = readData(data, field);
  if (bytes.length > broughtBytes) {
    const message = `${field} has more than ${String(broughtBytes)} bytes: upload it`;
    throw oci('SIZE_INVALID', message, { status: 413 });
  }
  const { algorithm } = splitDigest(digest);
  const actual = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (actual === digest) return [digest, bytes];
  throw oci('DIGEST_INVALID', `${field} has another digest`, { detail: { expected: digest, actual } });
}

function readSources(value: unknown): readonly RepositoryName[] {
  return listOf(value, 'from', mostSources).map((name, at) => {
    if (typeof name === 'string' && isRepositoryName(name)) return name;
    throw oci('NAME_INVALID', `from[${String(at)}] cannot be the name of a repository`);
  });
}
