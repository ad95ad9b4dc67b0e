import path from 'node:path/posix';
import { fail } from '../domain/failure.ts';
import { GitCommandError, type Git } from './git-command.ts';
import { parseSourceLocation, type GitLocation } from './location.ts';
import type { ContextLimits } from './ports.ts';

/** A repository inside a repository: where it goes, and which of its commits. */
export interface Submodule {
  readonly path: string;
  readonly commit: string;
  readonly location: GitLocation;
}

/** What a commit holds, read before anything is written to the disk. */
export interface TreeSummary {
  readonly entries: number;
  readonly bytes: number;
  /** Paths and commits of the submodules. */
  readonly links: readonly { readonly path: string; readonly commit: string }[];
}

/**
 * Reads the names and sizes of a commit's files: a few objects can stand for millions of files (a "git bomb"), so this
 * comes before the checkout.
 * @throws `too-large`
 */
export async function readTree(git: Git, commit: string, limits: ContextLimits): Promise<TreeSummary> {
  const listing = await listTree(git, commit, limits);
  const lines = listing.split('\0').filter((line) => line !== '');
  const tooMany = `the repository has more than the ${String(limits.maxEntries)} files allowed`;
  if (lines.length > limits.maxEntries) throw fail('too-large', tooMany);
  const links: { path: string; commit: string }[] = [];
  let bytes = 0;
  for (const line of lines) {
    const match = /^(\d+) (\w+) ([0-9a-f]+) +(\d+|-)\t([^]*)$/.exec(line);
    if (match?.[2] === 'commit') links.push({ path: match[5] ?? '', commit: match[3] ?? '' });
    else if (match?.[2] === 'blob') bytes += Number(match[4]);
  }
  if (bytes > limits.maxUnpackedBytes) {
    throw fail('too-large', `the repository is larger than the ${String(limits.maxUnpackedBytes)} bytes allowed`);
  }
  return { entries: lines.length, bytes, links };
}

async function listTree(git: Git, commit: string, limits: ContextLimits): Promise<string> {
  try {
    // 512 bytes a line leaves room for long paths.
    return await git.run(['ls-tree', '-r', '-z', '-l', '--full-tree', commit], {
      maxOutputBytes: limits.maxEntries * 512 + 65_536,
    });
  } catch (error) {
    if (!(error instanceof GitCommandError) || error.output !== 'the output is too long') throw error;
    throw fail('too-large', `the repository has more than the ${String(limits.maxEntries)} files allowed`);
  }
}

/**
 * The submodules of a checked-out commit, with their URLs out of `.gitmodules`. Those without a URL there are left out,
 * as an empty directory.
 * @throws `invalid-request` when a URL is no git URL that is allowed, or lies on another host (field-notes.md §3, row 8).
 */
export async function readSubmodules(
  git: Git,
  parent: GitLocation,
  links: TreeSummary['links'],
): Promise<readonly Submodule[]> {
  if (links.length === 0) return [];
  const urls = await readModuleUrls(git);
  return links.flatMap(({ path: target, commit }) => {
    const url = urls.get(target);
    return url === undefined ? [] : [{ path: target, commit, location: locate(parent, target, url) }];
  });
}

async function readModuleUrls(git: Git): Promise<ReadonlyMap<string, string>> {
  const words = [
    'config',
    '--no-includes',
    '--file',
    '.gitmodules',
    '-z',
    '--get-regexp',
    String.raw`^submodule\..*\.(path|url)$`,
  ];
  const text = await git.run(words, { maxOutputBytes: 1024 * 1024 }).catch((error: unknown) => {
    if (error instanceof GitCommandError) return '';
    throw error;
  });
  const values = new Map(
    text.split('\0').map((line) => [line.slice(0, line.indexOf('\n')), line.slice(line.indexOf('\n') + 1)]),
  );
  const urls = new Map<string, string>();
  for (const [key, value] of values) {
    const url = values.get(key.replace(/\.path$/, '.url'));
    if (key.endsWith('.path') && url !== undefined) urls.set(value, url);
  }
  return urls;
}

function locate(parent: GitLocation, target: string, written: string): GitLocation {
  const url = /^\.\.?\//.test(written) ? resolveRelative(parent.url, written) : written;
  const location = parseRepositoryUrl(url);
  const bad = (why: string): Error =>
    fail('invalid-request', `the submodule ${JSON.stringify(target)} ${why}`, { field: 'sourceLocation' });
  if (location === undefined) throw bad('has no git URL that can be fetched');
  if (location.host !== parent.host) {
    throw bad(`lies on ${location.host}, and only submodules on ${parent.host} are fetched`);
  }
  if (location.transport === 'http' && parent.transport !== 'http') throw bad('would be fetched over plain http');
  return location.transport === 'ssh' ? location : withLoginOf(parent, location);
}

/** What .gitmodules names is a git repository, whether its URL ends in `.git` or not. */
function parseRepositoryUrl(written: string): GitLocation | undefined {
  const url = written.replace(/\/+$/, '');
  const isBare = /^https?:/i.test(url) && !url.endsWith('.git');
  const location = parseSourceLocation(isBare ? `${url}.git` : url);
  if (location.kind !== 'git') return undefined;
  return isBare ? { ...location, url: location.url.slice(0, -'.git'.length) } : location;
}

/** The token of the repository goes to its own scheme, host and port alone; one in .gitmodules is never used. */
function withLoginOf(parent: GitLocation, { token: _token, user: _user, ...location }: GitLocation): GitLocation {
  if (location.transport !== parent.transport || location.port !== parent.port) return location;
  const { user, token } = parent;
  return { ...location, ...(user !== undefined && { user }), ...(token !== undefined && { token }) };
}

/** `../other.git` beside the parent repository, as `git submodule` resolves it. */
function resolveRelative(parentUrl: string, relative: string): string {
  const match = /^([a-z]+:\/\/[^/]+\/|[^:/]+:)(.*)$/.exec(parentUrl);
  const [, base = '', parentPath = ''] = match ?? [];
  const joined = path.join('/', parentPath, relative).slice(1);
  return base + joined;
}
