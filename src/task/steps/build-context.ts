import type { BuildContext } from '../../domain/step.ts';

const git = [
  /^https?:\/\/[^#]+\.git(?:#.*)?$/i,
  /^https?:\/\/[^#]+\/_git\/[^#]+(?:#.*)?$/i,
  /^(?:git:\/\/|git@|ssh:\/\/|github\.com\/)/i,
];

/** What a build's context is by its form (acr-tasks.md §1.6): a git repository, a tar archive by HTTP, an OCI artifact, or a folder. */
export function readContext(word: string): BuildContext {
  if (git.some((pattern) => pattern.test(word))) return { kind: 'git', url: word };
  if (/^https?:\/\//i.test(word)) return { kind: 'tarball', url: word };
  if (/^oci:\/\//i.test(word)) return { kind: 'oci', url: word };
  return { kind: 'local', path: word };
}
