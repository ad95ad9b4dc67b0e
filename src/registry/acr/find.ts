import { isDigest, type Digest } from '../../domain/digest.ts';
import type { RepositoryName } from '../../domain/image-reference.ts';
import { oci } from '../errors.ts';
import type { ManifestRecord, TagRecord } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import type { RegistryState } from '../state.ts';

/** A repository that is there. Throws NAME_UNKNOWN. */
export function findContents({ index }: Pick<RegistryState, 'index'>, repository: RepositoryName): RepositoryContents {
  const contents = index.repository(repository);
  if (contents?.exists === true) return contents;
  throw oci('NAME_UNKNOWN', 'there is no such repository', { detail: { name: repository } });
}

/** A tag that is there. Throws MANIFEST_UNKNOWN. */
export function findTag(contents: RepositoryContents, { tag }: { readonly tag: string }): TagRecord {
  const record = contents.tag(tag);
  if (record !== undefined) return record;
  throw oci('MANIFEST_UNKNOWN', 'this repository has no such tag', { detail: { tag: tag.slice(0, 160) } });
}

/** A manifest that is there. Throws DIGEST_INVALID and MANIFEST_UNKNOWN. */
export function findDigest(contents: RepositoryContents, { digest }: { readonly digest: string }): ManifestRecord {
  const record = contents.manifests.get(parseDigest(digest));
  if (record !== undefined) return record;
  throw oci('MANIFEST_UNKNOWN', 'this repository has no such manifest', { detail: { digest } });
}

/** Throws DIGEST_INVALID. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw oci('DIGEST_INVALID', `"${text.slice(0, 160)}" is no sha256 or sha512 digest`);
}
