import type { ScopeMapAction } from '../../domain/registry-access.ts';

/**
 * What somebody can do to a repository. `catalog` and `manage` are asked of the whole registry, named `*`. `overwrite` is asked
 * besides `push` when a tag moves from one manifest to another.
 */
export const registryActions = [
  'pull',
  'push',
  'overwrite',
  'delete',
  'catalog',
  'metadata-read',
  'metadata-write',
  'sign',
  'quarantine-read',
  'quarantine-write',
  'manage',
] as const;

export type RegistryAction = (typeof registryActions)[number];

const grantedByWord: Readonly<Record<string, readonly RegistryAction[]>> = {
  pull: ['pull'],
  push: ['push', 'overwrite'],
  delete: ['delete'],
  metadata_read: ['metadata-read'],
  metadata_write: ['metadata-write'],
  sign: ['sign'],
  quarantine_read: ['quarantine-read'],
  quarantine_write: ['quarantine-write'],
};

/** Words of the scope grammar, `*` left out. */
export const scopeWords: readonly string[] = Object.keys(grantedByWord);

/** What a word of a scope (`pull`, `metadata_read`) stands for; nothing for a word that means nothing here. */
export function actionsOfWord(word: string): readonly RegistryAction[] {
  return Object.hasOwn(grantedByWord, word) ? (grantedByWord[word] ?? []) : [];
}

const wantedWords: Readonly<Record<RegistryAction, string>> = {
  pull: 'pull',
  // Who pushes looks first what is there.
  push: 'pull,push',
  overwrite: 'pull,push',
  delete: 'delete',
  catalog: '*',
  'metadata-read': 'metadata_read',
  'metadata-write': 'metadata_read,metadata_write',
  sign: 'sign',
  'quarantine-read': 'quarantine_read',
  'quarantine-write': 'quarantine_read,quarantine_write',
  manage: '*',
};

/** The scope that a client must ask for to do this (Docker registry token authentication, "scope"). */
export function scopeFor(repository: string, action: RegistryAction): string {
  const isWhole = action === 'catalog' || action === 'manage';
  return `${isWhole ? `registry:${action}` : `repository:${repository}`}:${wantedWords[action]}`;
}

/** What an action of a scope map stands for. */
export const actionsOfScopeMap: Readonly<Record<ScopeMapAction, readonly RegistryAction[]>> = {
  'content/read': ['pull'],
  'content/write': ['push', 'overwrite'],
  'content/delete': ['delete'],
  'metadata/read': ['metadata-read'],
  'metadata/write': ['metadata-write'],
};
