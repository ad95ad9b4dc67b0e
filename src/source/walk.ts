import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fail, FailureError } from '../domain/failure.ts';
import type { IgnoreRules, IgnoreState } from './dockerignore.ts';

/** A file, directory or symbolic link below the root. */
export interface WalkedEntry {
  /** Relative to the root, `/` between names. */
  readonly name: string;
  readonly absolute: string;
  readonly stats: Stats;
}

export interface WalkRules {
  readonly ignore: IgnoreRules | undefined;
  /** Relative paths that are sent whatever the rules say, with the directories that lead to them. */
  readonly always: ReadonlySet<string>;
  /** Leaves out an entry before any rule: version-control directories. */
  readonly isDropped: (name: string) => boolean;
  readonly signal?: AbortSignal;
}

/**
 * Walks a directory without following links, names in the order of their code units, a directory before what it holds.
 * Directories that are wholly ignored are not opened; sockets, pipes and devices are left out.
 */
export async function* walkDirectory(root: string, rules: WalkRules): AsyncGenerator<WalkedEntry> {
  const leading = new Set([...rules.always].flatMap(directoriesOf));
  yield* walk({ root, rules, leading }, '', undefined);
}

interface Walk {
  readonly root: string;
  readonly rules: WalkRules;
  readonly leading: ReadonlySet<string>;
}

async function* walk(all: Walk, directory: string, parent: IgnoreState | undefined): AsyncGenerator<WalkedEntry> {
  const names = await readNames(all.root, directory);
  for (let at = 0; at < names.length; at += namesAtOnce) {
    all.rules.signal?.throwIfAborted();
    const judged = names
      .slice(at, at + namesAtOnce)
      .map((base) => weigh(all, path.posix.join(directory, base), parent));
    const wanted = judged.filter(({ isSent, isOpened }) => isSent || isOpened);
    const found = await Promise.all(wanted.map((verdict) => lookAt(all.root, verdict)));
    for (const { name, absolute, stats, state, isSent, isOpened } of found) {
      if (isSent && isPackable(stats)) yield { name, absolute, stats };
      if (isOpened && stats.isDirectory()) yield* walk(all, name, state);
    }
  }
}

/** Entries of a directory that are looked at together. */
const namesAtOnce = 64;

async function lookAt(root: string, verdict: Verdict): Promise<Verdict & WalkedEntry> {
  const absolute = path.join(root, verdict.name);
  try {
    return { ...verdict, absolute, stats: await lstat(absolute) };
  } catch (error) {
    throw toReadFailure(error, verdict.name);
  }
}

async function readNames(root: string, directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(path.join(root, directory))).sort();
  } catch (error) {
    throw toReadFailure(error, directory);
  }
}

/** An error of the file system as `invalid-context` with the file's name and the error's code; others as they are. */
export function toReadFailure(error: unknown, name: string): unknown {
  if (error instanceof FailureError || !(error instanceof Error) || !('code' in error)) return error;
  if (typeof error.code !== 'string') return error;
  return fail('invalid-context', `${name} could not be read (${error.code})`, { cause: error });
}

interface Verdict {
  readonly name: string;
  readonly state: IgnoreState | undefined;
  /** Whether the entry goes into the archive. */
  readonly isSent: boolean;
  /** Whether it is looked into if it is a directory. */
  readonly isOpened: boolean;
}

function weigh({ rules, leading }: Walk, name: string, parent: IgnoreState | undefined): Verdict {
  if (rules.isDropped(name)) return { name, state: undefined, isSent: false, isOpened: false };
  const state = rules.ignore?.judge(name, parent);
  if (state?.isIgnored !== true) return { name, state, isSent: true, isOpened: true };
  const isOpened = leading.has(name) || rules.ignore?.canHoldException(name) === true;
  return { name, state, isSent: rules.always.has(name), isOpened };
}

function isPackable(stats: Stats): boolean {
  return stats.isFile() || stats.isDirectory() || stats.isSymbolicLink();
}

function directoriesOf(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
