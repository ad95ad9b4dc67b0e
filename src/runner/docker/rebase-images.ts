import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';
import { fieldsIn, isFields, listIn, textIn, type Fields, type ImageDocuments } from '../../rebase/documents.ts';
import { refuse } from '../../rebase/refusal.ts';
import { isDigest } from '../../domain/digest.ts';
import type { RegistryClient } from '../../registry-client/client.ts';

/** The documents of images that were read lately: what has a digest never changes. */
export interface DocumentCache {
  get(key: string): ImageDocuments | undefined;
  set(key: string, documents: ImageDocuments): void;
}

/** Keeps as many as that, the latest ones. */
export function createDocumentCache(limit = 64): DocumentCache {
  const kept = new Map<string, ImageDocuments>();
  return {
    get: (key) => kept.get(key),
    set: (key, documents) => {
      kept.set(key, documents);
      const [oldest] = kept.keys();
      if (kept.size > limit && oldest !== undefined) kept.delete(oldest);
    },
  };
}

function parse(bytes: Buffer, what: string): Fields {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isFields(value) ? value : refuse(`${what} is no image`);
  } catch {
    return refuse(`${what} is no image`);
  }
}

/** The image of a platform in an index. */
function pick(index: Fields, platform: string, what: string): Digest {
  const fitting = listIn(index, 'manifests').flatMap((entry) => {
    const fields = isFields(entry) ? entry : {};
    const about = fieldsIn(fields, 'platform');
    const name = [textIn(about, 'os'), textIn(about, 'architecture')].join('/');
    const digest = textIn(fields, 'digest') ?? '';
    return name === platform.split('/', 2).join('/') && isDigest(digest) ? [digest] : [];
  });
  const [digest] = fitting;
  if (digest !== undefined && fitting.length === 1) return digest;
  return refuse(`${what} has no single image for ${platform}`);
}

/** What is to be read: an image by its digest, and its name for people. */
export interface WantedImage {
  readonly repository: string;
  readonly digest: Digest;
  /** `the new base` */
  readonly what: string;
  /** Which one is meant where the digest is that of an index. */
  readonly platform: string;
}

function keyOf({ repository, digest, platform }: Omit<WantedImage, 'what'>): string {
  return `${repository}@${digest} ${platform}`;
}

/** Keeps the documents of an image that was just made: it may be the next that is rebased. */
export function remember(
  cache: DocumentCache,
  image: Omit<WantedImage, 'what'>,
  { manifest, config }: { readonly manifest: Buffer; readonly config: Buffer },
): void {
  cache.set(keyOf(image), { manifest: parse(manifest, 'the image'), config: parse(config, 'the image') });
}

/** Reads manifest and configuration of an image. Rejects with a Refusal when it is not there, or none. */
export async function readImage(
  client: RegistryClient,
  wanted: WantedImage,
  cache: DocumentCache,
): Promise<ImageDocuments> {
  const { repository, digest, what, platform } = wanted;
  const key = keyOf(wanted);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const found = await client.manifest(repository, digest);
  if (found === undefined) return refuse(`${what} is not in the registry any more`);
  const manifest = parse(found.bytes, what);
  if (Array.isArray(manifest['manifests'])) {
    const chosen = pick(manifest, platform, what);
    return readImage(client, { ...wanted, digest: chosen }, cache);
  }
  const config = textIn(fieldsIn(manifest, 'config'), 'digest') ?? '';
  if (!isDigest(config)) return refuse(`${what} is no image`);
  const typed = { mediaType: found.mediaType, ...manifest };
  const documents = { manifest: typed, config: parse(await client.smallBlob(repository, config), what) };
  cache.set(key, documents);
  return documents;
}

/** A name without the digest that it stood for. */
export function withoutDigest({ registry, repository, tag }: ImageIdentity): ImageIdentity {
  return { registry, repository, ...(tag !== undefined && { tag }) };
}
