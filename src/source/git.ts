import { lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { FailureError } from '../domain/failure.ts';
import { fail } from '../domain/failure.ts';
import type { Egress } from '../egress/ports.ts';
import { findDockerfile, isInside } from './context-files.ts';
import { configOf, createGit, GitCommandError, type Git } from './git-command.ts';
import { portOf, writeGitConfig, type GitOptions } from './git-config.ts';
import { fetchCommit } from './git-fetch.ts';
import { readSubmodules, readTree } from './git-tree.ts';
import type { GitLocation } from './location.ts';
import { packDirectory, type PackOptions } from './pack.ts';
import type { Context, ContextLimits } from './ports.ts';
import { revisionOf } from './revision.ts';

export interface GitContextOptions {
  readonly egress: Egress;
  /** An existing directory for the clone; one directory in it is made and removed by `dispose`. */
  readonly tempRoot: string;
  readonly limits: ContextLimits;
  readonly git?: GitOptions;
  /** Path of the Dockerfile inside the folder: it must be there. */
  readonly dockerfile?: string;
  readonly signal?: AbortSignal;
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Submodules of submodules of … */
const maxDepth = 4;

/**
 * Clones a repository as a build context: shallow, with the submodules of the same host, without LFS content.
 * @throws `source-unavailable` with git's own last line, `invalid-request` (host, folder, submodule), `too-large`,
 * `timed-out`; the signal's reason when it aborts. Whatever it throws, nothing stays on the disk.
 */
export async function openGitContext(location: GitLocation, options: GitContextOptions): Promise<Context> {
  const base = await realpath(await mkdtemp(path.join(options.tempRoot, 'git-')));
  const dispose = (): Promise<void> => rm(base, { recursive: true, force: true, maxRetries: 5 });
  try {
    const clone = await cloneAll(location, base, options);
    const packClone = (how: Pick<PackOptions, 'dockerfile' | 'ignore'>): Promise<Readable> =>
      packTree(clone.folder, options, how);
    const { dockerfile } = options;
    if (dockerfile !== undefined) await findDockerfile(clone.folder, dockerfile);
    return {
      description: describe(location, clone.commit),
      commit: clone.commit,
      revision: revisionOf(clone.commit, location.folder),
      open: () => packClone({ ignore: 'nothing' }),
      openForBuild: (named = dockerfile) => packClone(named === undefined ? {} : { dockerfile: named }),
      readFile: (name, maxBytes) => readFileBelow(clone.folder, name, maxBytes),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function packTree(
  folder: string,
  { limits, signal }: GitContextOptions,
  how: Pick<PackOptions, 'dockerfile' | 'ignore'>,
): Promise<Readable> {
  const bounds = { maxBytes: limits.maxUnpackedBytes, maxEntries: limits.maxEntries };
  const packed = await packDirectory(folder, { kind: 'git', ...bounds, ...how, ...(signal && { signal }) });
  return packed.stream;
}

/** The text of a file below a folder; undefined when there is none, also where a link leads out of the folder. */
async function readFileBelow(folder: string, name: string, maxBytes: number): Promise<string | undefined> {
  const file = await realpath(path.join(folder, name)).catch(() => undefined);
  if (file?.startsWith(`${folder}${path.sep}`) !== true) return undefined;
  const { size } = await stat(file);
  if (size > maxBytes)
    throw fail('too-large', `${name} has ${size} bytes; at most ${maxBytes} are read`, { field: name });
  return readFile(file, 'utf8');
}

interface Clone {
  readonly commit: string;
  /** Real path of the folder that is the context. */
  readonly folder: string;
}

async function cloneAll(location: GitLocation, base: string, options: GitContextOptions): Promise<Clone> {
  const { limits, signal } = options;
  const timer = AbortSignal.timeout(limits.timeoutMs);
  const size = new AbortController();
  const all = AbortSignal.any([timer, size.signal, ...(signal === undefined ? [] : [signal])]);
  const tree = path.join(base, 'tree');
  const watch = watchSize(tree, limits.maxBytes, size);
  try {
    await mkdir(path.join(base, 'home'));
    const job: CloneJob = { home: path.join(base, 'home'), root: tree, options, signal: all };
    const commit = await clone(job, { location, directory: tree, depth: 0 });
    return { commit, folder: await findFolder(tree, location.folder) };
  } catch (error) {
    signal?.throwIfAborted();
    if (size.signal.aborted) {
      throw fail('too-large', `the repository is larger than the ${String(limits.maxBytes)} bytes allowed`);
    }
    if (timer.aborted) {
      throw fail('timed-out', `cloning ${location.url} took longer than ${String(limits.timeoutMs)} ms`);
    }
    throw error instanceof GitCommandError ? explain(error, location) : error;
  } finally {
    clearInterval(watch);
    // The token was needed for the fetches alone.
    await rm(path.join(base, 'home'), { recursive: true, force: true, maxRetries: 5 });
  }
}

interface CloneJob {
  readonly home: string;
  readonly root: string;
  readonly options: GitContextOptions;
  readonly signal: AbortSignal;
}

interface CloneTarget {
  readonly location: GitLocation;
  readonly directory: string;
  readonly depth: number;
}

/** Fetches and checks out one repository, then its submodules inside it. Gives the commit. */
async function clone(job: CloneJob, { location, directory, depth }: CloneTarget): Promise<string> {
  const git = await prepareGit(job, location, directory);
  const { limits } = job.options;
  const commit = await fetchCommit(git, location.url, location.ref);
  const summary = await readTree(git, commit, limits);
  await git.run(['checkout', '--quiet', '--force', '--detach', commit]);
  const submodules = await readSubmodules(git, location, summary.links);
  if (submodules.length > 0 && depth === maxDepth) {
    throw fail('invalid-request', `submodules are nested deeper than ${String(maxDepth)}`, { field: 'sourceLocation' });
  }
  for (const submodule of submodules) {
    const inner = await openSubmoduleDirectory(directory, submodule.path);
    const { ref: _ref, folder: _folder, ...target } = submodule.location;
    await clone(job, { location: { ...target, ref: submodule.commit }, directory: inner, depth: depth + 1 });
  }
  return commit;
}

async function prepareGit(job: CloneJob, location: GitLocation, directory: string): Promise<Git> {
  const options = job.options.git ?? {};
  const addresses = await job.options.egress.resolve(location.host, portOf(location));
  const config = writeGitConfig({ location, addresses, home: job.home, options });
  await writeFile(configOf(job.home), config, { mode: 0o600 });
  await mkdir(directory, { recursive: true });
  const secrets = location.token === undefined ? [] : [location.token, encodeURIComponent(location.token)];
  return createGit({ directory, home: job.home, path: options.path ?? defaultPath, signal: job.signal, secrets });
}

/** The empty directory that the checkout left for a submodule; no link may stand on the way to it. */
async function openSubmoduleDirectory(directory: string, name: string): Promise<string> {
  const inner = path.join(directory, name);
  const real = await realpath(inner).catch(() => undefined);
  if (real === inner && isInside(directory, inner) && (await lstat(inner)).isDirectory()) return inner;
  throw fail('source-unavailable', `the submodule ${JSON.stringify(name)} has no directory in the repository`);
}

async function findFolder(tree: string, folder: string | undefined): Promise<string> {
  if (folder === undefined) return tree;
  const real = await realpath(path.join(tree, folder)).catch(() => undefined);
  const bad = (why: string): Error =>
    fail('invalid-request', `the folder ${JSON.stringify(folder)} ${why}`, { field: 'sourceLocation' });
  if (real === undefined) throw bad('does not exist in the repository at this ref');
  if (real !== tree && !isInside(tree, real)) throw bad('leads out of the repository');
  if (!(await stat(real)).isDirectory()) throw bad('is no directory');
  return real;
}

/** Looks at what a fetch has written so far: git itself knows no limit. */
function watchSize(tree: string, maxBytes: number, controller: AbortController): NodeJS.Timeout {
  const directory = path.join(tree, '.git', 'objects', 'pack');
  return setInterval(() => {
    void sizeOf(directory).then((bytes) => {
      if (bytes > maxBytes) controller.abort();
    });
  }, 500).unref();
}

async function sizeOf(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  const sizes = names.map(async (name) => (await stat(path.join(directory, name)).catch(() => undefined))?.size ?? 0);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function explain(error: GitCommandError, location: GitLocation): FailureError {
  const at = location.ref === undefined ? '' : ` at ${location.ref}`;
  return fail(
    'source-unavailable',
    `git could not read ${location.url}${at}: ${isRefusal(error.output) ? refusal : error.lastLine}`,
    hintFor(error.output),
  );
}

/** What git says of it (a prompt that it could not show) helps nobody who is not there, and a run keeps the message alone. */
const refusal = 'it does not exist, or needs a token or key that may read it';

function isRefusal(output: string): boolean {
  return /could not read Username|Authentication failed|error: 40[13]|Permission denied/i.test(output);
}

function hintFor(output: string): { hint?: string } {
  if (isRefusal(output))
    return { hint: 'give the task a token (slipway task update: --git-access-token), or the worker a key' };
  if (/error: 30[1278]|redirect/i.test(output)) {
    return { hint: 'the server answers with a redirect, which is not followed: use the URL that it leads to' };
  }
  return {};
}

function describe(location: GitLocation, commit: string): string {
  const folder = location.folder === undefined ? '' : `:${location.folder}`;
  const fragment = location.ref === undefined && folder === '' ? '' : `#${location.ref ?? ''}${folder}`;
  return `git ${location.url}${fragment} at ${commit.slice(0, 12)}`;
}
