import { buffer } from 'node:stream/consumers';
import { fail } from '../../domain/failure.ts';
import { hasDigest, parseFields, sha256Of, type Descriptor, type Fields, type RegistryDocument } from '../documents.ts';
import type { Parts } from './parts.ts';
import type { CopyEnd } from './ports.ts';

const maxConfigBytes = 4 * 1024 * 1024;

function textIn(fields: Fields | undefined, name: string): string {
  const value = fields?.[name];
  return typeof value === 'string' ? value : '';
}

function formatPlatform(fields: Fields | undefined): string {
  const parts = ['os', 'architecture', 'variant'].map((name) => textIn(fields, name)).filter((part) => part !== '');
  return parts
    .join('/')
    .replace(/[^\w./-]/g, '?')
    .slice(0, 60);
}

function isOf(fields: Fields | undefined, wanted: string): boolean {
  const [os, architecture, variant] = wanted.split('/');
  const isKind = textIn(fields, 'os') === os && textIn(fields, 'architecture') === architecture;
  return isKind && (variant === undefined || textIn(fields, 'variant') === variant);
}

function absent(what: string, wanted: string, there: readonly string[]): Error {
  const known = [...new Set(there)].filter((name) => name !== '' && !name.startsWith('unknown')).slice(0, 20);
  return fail('not-found', `${what} has no image for ${wanted}`, {
    field: 'platforms',
    ...(known.length > 0 && { hint: `it has ${known.join(', ')}` }),
  });
}

/** BuildKit puts attestations beside the images that they are about (its "Image Attestation Storage"). */
function isAbout({ annotations }: Descriptor, kept: ReadonlySet<string>): boolean {
  return kept.has(annotations?.['vnd.docker.reference.digest'] ?? '');
}

/** The index with those images alone; the very same one when it has no others. */
function filterIndex(
  document: RegistryDocument,
  { children, fields }: Extract<Parts, { kind: 'index' }>,
  { platforms, what }: { readonly platforms: readonly string[]; readonly what: string },
): RegistryDocument {
  for (const wanted of platforms) {
    if (!children.some(({ platform }) => isOf(platform, wanted)))
      throw absent(
        what,
        wanted,
        children.map(({ platform }) => formatPlatform(platform)),
      );
  }
  const chosen = children.filter(({ platform }) => platforms.some((wanted) => isOf(platform, wanted)));
  const digests = new Set<string>(chosen.map(({ digest }) => digest));
  const isKept = children.map((child) => digests.has(child.digest) || isAbout(child, digests));
  if (!isKept.includes(false)) return document;
  const all = fields['manifests'] as readonly unknown[];
  const bytes = Buffer.from(JSON.stringify({ ...fields, manifests: all.filter((_, at) => isKept[at]) }));
  return { mediaType: document.mediaType, bytes, digest: sha256Of(bytes) };
}

async function checkImage(
  from: CopyEnd,
  config: Descriptor | undefined,
  wish: { platforms: readonly string[]; what: string },
) {
  if (config === undefined || config.size > maxConfigBytes) throw absent(wish.what, wish.platforms.join(', '), []);
  const bytes = await buffer(await from.openBlob(config.digest, config.size));
  if (!hasDigest(bytes, config.digest)) throw fail('source-unavailable', `${from.name} sends another configuration`);
  const fields = parseFields(bytes);
  for (const wanted of wish.platforms)
    if (!isOf(fields, wanted)) throw absent(wish.what, wanted, [formatPlatform(fields)]);
}

/**
 * Chooses the images of some platforms: an index without the others, or the image itself if it is for the one that is wanted.
 * @throws `not-found` when there is none for a platform.
 */
export async function choosePlatforms(
  from: CopyEnd,
  image: { readonly document: RegistryDocument; readonly parts: Parts },
  wish: { readonly platforms: readonly string[]; readonly what: string },
): Promise<RegistryDocument> {
  const { document, parts } = image;
  if (parts.kind === 'index') return filterIndex(document, parts, wish);
  await checkImage(from, parts.config, wish);
  return document;
}
