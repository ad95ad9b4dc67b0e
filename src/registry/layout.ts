import { isDigest, splitDigest, type Digest } from '../domain/digest.ts';
import { isRepositoryName, isTag, type RepositoryName, type Tag } from '../domain/image-reference.ts';

/*
 * Keys of the registry's objects in the blob store, layout 1. Names that begin with `_` cannot be parts of a
 * repository's name, so a repository's own objects and the repositories below it never meet.
 */

export const layoutVersion = 1;
export const layoutKey = 'registry/LAYOUT';
export const repositoriesPrefix = 'registry/repositories/';
export const outboxPrefix = 'registry/outbox/';
export const sessionsPrefix = 'registry/uploads/';

/** Staged uploads of the registry begin with this, so that other users of the store keep theirs. */
export const stagedPrefix = 'registry-';

/** Content by digest, shared by all repositories: layers, configs, manifests. */
export function contentKey(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `registry/blobs/${algorithm}/${hex.slice(0, 2)}/${hex}`;
}

export function repositoryKey(repository: RepositoryName): string {
  return `${repositoriesPrefix}${repository}/_repository.json`;
}

export function manifestKey(repository: RepositoryName, digest: Digest): string {
  return `${repositoriesPrefix}${repository}/_manifests/${digest.replace(':', '/')}.json`;
}

export function blobLinkKey(repository: RepositoryName, digest: Digest): string {
  return `${repositoriesPrefix}${repository}/_blobs/${digest.replace(':', '/')}.json`;
}

export function tagKey(repository: RepositoryName, tag: Tag): string {
  return `${repositoriesPrefix}${repository}/_tags/${tag}.json`;
}

export function sessionKey(id: string): string {
  return `${sessionsPrefix}${id}.json`;
}

export function outboxKey(eventId: string): string {
  return `${outboxPrefix}${eventId}.json`;
}

/** What a key below `repositories/` names. */
export type RepositoryObject =
  | { readonly kind: 'repository'; readonly repository: RepositoryName }
  | { readonly kind: 'manifest' | 'blob'; readonly repository: RepositoryName; readonly digest: Digest }
  | { readonly kind: 'tag'; readonly repository: RepositoryName; readonly tag: Tag };

/** The reverse of the functions above; undefined for a key that is none of theirs. */
export function parseRepositoryKey(key: string): RepositoryObject | undefined {
  const match = /^registry\/repositories\/([^_].*?)\/_(repository|manifests|blobs|tags)(?:\/(.+))?\.json$/.exec(key);
  const [, repository = '', folder, rest = ''] = match ?? [];
  if (!isRepositoryName(repository)) return undefined;
  if (folder === 'repository') return { kind: 'repository', repository };
  if (folder === 'tags') return isTag(rest) ? { kind: 'tag', repository, tag: rest } : undefined;
  const digest = rest.replace('/', ':');
  if (!isDigest(digest)) return undefined;
  return { kind: folder === 'manifests' ? 'manifest' : 'blob', repository, digest };
}
