import path from 'node:path/posix';
import { fail } from '../domain/failure.ts';
import { compileGlob, matchesGlob, type Glob } from '../domain/glob.ts';

/** Far more than any real file has; keeps a hostile one from costing minutes. */
const maxRules = 5000;
const maxPatternLength = 1024;

interface Rule {
  readonly glob: Glob;
  readonly segments: readonly string[];
  readonly isException: boolean;
}

/** What the rules say of one path; handed on to the paths below it. */
export interface IgnoreState {
  readonly isIgnored: boolean;
  /** Which rules match the path or a directory above it, by index. */
  readonly matched: readonly boolean[];
}

/** The rules of a `.dockerignore`. */
export interface IgnoreRules {
  /**
   * Judges `path` (relative, `/` between names), given the state of the directory above it (undefined at the root). The
   * last rule that matches wins, and a rule that matches a directory matches all in it.
   */
  judge(path: string, parent: IgnoreState | undefined): IgnoreState;
  /** False when no `!` rule can bring back anything below an ignored directory: then it need not be walked. */
  canHoldException(directory: string): boolean;
}

/**
 * Reads a `.dockerignore` by the rules of Docker's reference ("Dockerfile reference", .dockerignore file).
 * @throws `invalid-context` naming `name` and the line that is malformed.
 */
export function parseDockerignore(text: string, name = '.dockerignore'): IgnoreRules {
  const rules: Rule[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const bad = (why: string): Error => fail('invalid-context', `${name} line ${String(index + 1)}: ${why}`);
    const rule = line.startsWith('#') ? undefined : parseRule(line.trim(), bad);
    if (rule !== undefined) rules.push(rule);
    if (rules.length > maxRules) throw bad(`there are more than ${String(maxRules)} rules`);
  }
  const exceptions = rules.filter((rule) => rule.isException);
  return {
    judge: (target, parent) => judge(rules, target, parent),
    canHoldException: (directory) => exceptions.some((rule) => canMatchBelow(rule, directory)),
  };
}

function parseRule(line: string, bad: (why: string) => Error): Rule | undefined {
  const isException = line.startsWith('!');
  const written = isException ? line.slice(1).trim() : line;
  if (written === '' && !isException) return undefined;
  if (written === '') throw bad('"!" stands alone');
  if (written.length > maxPatternLength) throw bad(`the pattern is longer than ${String(maxPatternLength)} characters`);
  const cleaned = path.normalize(written).replace(/(?<=.)\/$/, '');
  const pattern = cleaned.length > 1 ? cleaned.replace(/^\//, '') : cleaned;
  const glob = compileGlob(pattern);
  if (glob === undefined) throw bad(`"${written}" is no valid pattern`);
  return { glob, segments: pattern.split('/'), isException };
}

function judge(rules: readonly Rule[], target: string, parent: IgnoreState | undefined): IgnoreState {
  let isIgnored = false;
  const matched = rules.map((rule, index) => {
    const isMatch = parent?.matched[index] === true || matchesGlob(rule.glob, target);
    if (isMatch) isIgnored = !rule.isException;
    return isMatch;
  });
  return { isIgnored, matched };
}

/** Compares name by name; from the first `**` on, anything can match. */
function canMatchBelow(rule: Rule, directory: string): boolean {
  const names = directory.split('/');
  for (const [index, name] of names.entries()) {
    const segment = rule.segments[index];
    // A rule that ends here or above matches a directory, and so everything in it.
    if (segment === undefined || segment.includes('**')) return true;
    const glob = compileGlob(segment);
    if (glob !== undefined && !matchesGlob(glob, name)) return false;
  }
  return true;
}
