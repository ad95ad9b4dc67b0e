import { isRepositoryName } from '../../domain/image-reference.ts';

/** True for a repository's name, for `prefix/*` with one asterisk at its end, and for `*`. */
export function isRepositoryPattern(text: string): boolean {
  if (text === '*') return true;
  return isRepositoryName(text.endsWith('/*') ? text.slice(0, -2) : text);
}

/** True when a pattern covers a repository; `prefix/*` covers what is below `prefix/`, not `prefix` itself. */
export function matchesPattern(pattern: string, repository: string): boolean {
  if (pattern === '*' || pattern === repository) return true;
  return pattern.endsWith('/*') && repository.startsWith(pattern.slice(0, -1));
}
