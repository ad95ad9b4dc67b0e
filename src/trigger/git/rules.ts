import { compileGlob, matchesGlob, type Glob } from '../../domain/glob.ts';
import { fail } from '../../domain/failure.ts';
import type { GlobFilter, SourceTriggerEvent } from '../../domain/source-rules.ts';

/** What a source trigger of a task listens for. */
export interface SourceTriggerRules {
  readonly isEnabled?: boolean;
  /** The clone URL of the task's repository; `#branch:folder` after it, as the reference keeps it, does not count. */
  readonly repositoryUrl: string;
  /** One branch (Azure's `sourceRepository.branch`), by its exact name; for a pull request, the branch it goes to. `branches` replaces it. */
  readonly branch?: string;
  /** Default: `commit` alone. */
  readonly events?: readonly SourceTriggerEvent[];
  readonly branches?: GlobFilter;
  readonly tags?: GlobFilter;
  /** A name without wildcards stands for the file, or the folder and all in it. */
  readonly paths?: GlobFilter;
  /** Lets a fork's pull request have the task's secrets and push. */
  readonly trustsForks?: boolean;
}

const maxPatterns = 100;
const maxPatternLength = 512;

/** A filter made ready; every text is one that it takes in when the filter is left out. */
export interface Filter {
  /** Why `name` is not taken in (`is not main`), or undefined when it is. */
  refuse(name: string): string | undefined;
}

interface Pattern {
  readonly text: string;
  readonly globs: readonly Glob[];
}

/**
 * Compiles a filter of names or paths.
 * @throws `invalid-request` naming the pattern that is malformed, below `field`.
 */
export function compileFilter(filter: GlobFilter | undefined, field: string, isPath = false): Filter {
  const compile = (texts: readonly string[] | undefined, part: string): Pattern[] => {
    if ((texts ?? []).length > maxPatterns) throw fail('invalid-request', `${field}.${part} is too long`, { field });
    return (texts ?? []).map((text, at) => compilePattern(text, `${field}.${part}[${String(at)}]`, isPath));
  };
  const include = compile(filter?.include, 'include');
  const exclude = compile(filter?.exclude, 'exclude');
  return {
    refuse: (name) => {
      const excluded = exclude.find((pattern) => matches(pattern, name));
      if (excluded !== undefined) return `is excluded by ${excluded.text}`;
      if (include.length === 0 || include.some((pattern) => matches(pattern, name))) return undefined;
      return `is not ${listNames(include.map(({ text }) => text))}`;
    },
  };
}

function compilePattern(text: string, field: string, isPath: boolean): Pattern {
  const plain = isPath ? text.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '') : text;
  const bad = (why: string): Error => fail('invalid-request', `${field} ${why}`, { field });
  if (plain === '' || plain.length > maxPatternLength) throw bad('is empty or too long');
  const variants = isPath ? [plain, `${plain}/**`] : [plain];
  const globs = variants.map((variant) => compileGlob(variant));
  if (globs.includes(undefined)) throw bad('is no valid pattern');
  return { text, globs: globs.filter((glob) => glob !== undefined) };
}

function matches(pattern: Pattern, name: string): boolean {
  return pattern.globs.some((glob) => matchesGlob(glob, name));
}

/** `main`, `main or release/*`, and no more than five by name. */
export function listNames(names: readonly string[]): string {
  const shown = names.length > 5 ? [...names.slice(0, 4), `${String(names.length - 4)} more`] : names;
  const last = shown.at(-1) ?? '';
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} or ${last}`;
}
