import { isDigest, type Digest } from '../../domain/digest.ts';
import { normalizeIfPossible } from '../../dockerfile/platform.ts';
import { fieldsOf, parseFields, type Fields, type RegistryDocument } from '../../registry-client/documents.ts';

function platformOf(entry: Fields): string | undefined {
  const { os, architecture, variant } = fieldsOf(entry['platform']);
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return normalizeIfPossible(
    [os, architecture, ...(typeof variant === 'string' && variant ? [variant] : [])].join('/'),
  );
}

/**
 * The digest of the manifest that a build for a platform (as `normalizePlatform` writes it) reads: an entry of an index, or the document
 * itself where it is one image, which builds take for any platform. Undefined when there is none, or it is not clear which (Windows has one
 * for each of its versions).
 */
export function pickManifest({ bytes, digest }: RegistryDocument, platform: string): Digest | undefined {
  const fields = parseFields(bytes);
  const entries = fields?.['manifests'];
  if (!Array.isArray(entries)) return fields?.['config'] === undefined ? undefined : digest;
  const fit = entries.map(fieldsOf).filter((entry) => platformOf(entry) === platform);
  const [first, ...others] = new Set(fit.map((entry) => entry['digest']));
  return typeof first === 'string' && isDigest(first) && others.length === 0 ? first : undefined;
}
