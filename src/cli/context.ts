import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { fail } from '../domain/failure.ts';
import { parseSourceLocation } from '../source/location.ts';
import { packDirectory, type PackOptions } from '../source/pack.ts';
import type { CliIo } from './io.ts';
import { measureDirectory } from './measure.ts';

/** Where a run reads from: something that the server fetches itself, or an archive that is sent to it. */
export type Context = RemoteContext | ArchiveContext;

export interface RemoteContext {
  readonly kind: 'remote';
  readonly location: string;
}

export interface ArchiveContext {
  readonly kind: 'archive';
  /** Opens the archive, from its beginning each time where `isRepeatable`. */
  readonly open: (signal: AbortSignal, onPacked: (bytes: number) => void) => Promise<Readable>;
  readonly isRepeatable: boolean;
  /** Bytes of files that go in, as far as that is known beforehand; asked for only to show progress. */
  readonly measure?: (signal: AbortSignal) => Promise<number>;
  /** The folder behind it, where there is one. */
  readonly folder?: Folder;
}

/** A folder that is a context. */
export interface Folder {
  /** Absolute, without symbolic links. */
  readonly root: string;
  /** Path in it of the Dockerfile that goes in whatever `.dockerignore` says of it. */
  readonly dockerfile: string | undefined;
}

/** Where a build reads from, and its Dockerfile there. */
export type BuildContext = Context & { readonly dockerFilePath: string };

const remote = /^(?:[a-z][a-z0-9+.-]*:\/\/|[A-Za-z0-9][\w.-]*@[\w.-]+:|github\.com\/)/i;

export interface ContextWish {
  /** What `-f` said. */
  readonly file?: string | undefined;
  /** Whether a folder is compressed: worth its time on a network, and not on the way to a server on this machine. */
  readonly compress: boolean;
}

/** What a CONTEXT word stands for: a folder has yet to be packed, the rest is ready. */
export type FoundContext = Context | { readonly kind: 'directory'; readonly path: string };

/**
 * Finds out what a CONTEXT word means: `-`, a URL, a directory or an archive file.
 * @throws `invalid-request` naming what is not there.
 */
export async function resolveContext(io: CliIo, word: string): Promise<FoundContext> {
  if (word === '-') return openStdin(io);
  const path = resolve(io.cwd, word);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return { kind: 'directory', path: await realpath(path) };
  if (found?.isFile()) return { kind: 'archive', isRepeatable: true, open: async () => createReadStream(path) };
  if (remote.test(word)) {
    parseSourceLocation(word, 'CONTEXT');
    return { kind: 'remote', location: word };
  }
  const hint = 'Name a directory, a tar archive, a git URL, the URL of a tar archive, or - for a tar archive on stdin.';
  throw fail('invalid-request', `the context ${word} does not exist`, { field: 'CONTEXT', hint });
}

/** Finds a build's context and its Dockerfile. Throws `invalid-request` naming what is not there. */
export async function findContext(io: CliIo, word: string, { file, compress }: ContextWish): Promise<BuildContext> {
  const found = await resolveContext(io, word);
  if (found.kind !== 'directory') return { ...found, dockerFilePath: file ?? 'Dockerfile' };
  const dockerfile = await findDockerfile(io, found.path, file);
  const placed = 'path' in dockerfile ? { dockerfile: dockerfile.path } : { extra: [dockerfile] };
  const dockerFilePath = 'path' in dockerfile ? dockerfile.path : dockerfile.name;
  return { ...openDirectory(found.path, { gzip: compress, ...placed }), dockerFilePath };
}

function openStdin({ stdin }: CliIo): ArchiveContext {
  if (stdin.isTTY === true) {
    const hint = 'Pipe a tar archive in: tar -c . | slipway build -';
    throw fail('invalid-request', 'the context - is a tar archive on stdin, which is a terminal', {
      field: 'CONTEXT',
      hint,
    });
  }
  return { kind: 'archive', isRepeatable: false, open: async () => stdin };
}

/** A Dockerfile's path inside the context, or the file itself when it lies elsewhere. */
type Dockerfile = { readonly path: string } | { readonly name: string; readonly content: Buffer };

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/**
 * The absolute path of a file that was named beside a context: it counts from the context, as az has it, and else from the current
 * directory, as docker has it. Undefined when it is in neither.
 */
export async function locateFile(io: CliIo, root: string, file: string): Promise<string | undefined> {
  for (const path of [resolve(root, file), resolve(io.cwd, file)]) if (await isFile(path)) return path;
  return undefined;
}

/** A file's path below `root`, with slashes; undefined when it lies elsewhere. */
export function pathInside(root: string, path: string): string | undefined {
  const inside = relative(root, path);
  const isOutside = inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  return isOutside ? undefined : inside.split(sep).join('/');
}

/** A Dockerfile that lies outside the context is sent along. */
async function findDockerfile(io: CliIo, root: string, file: string | undefined): Promise<Dockerfile> {
  if (file === undefined) return { path: 'Dockerfile' };
  const path = await locateFile(io, root, file);
  if (path === undefined) {
    const field = '--file';
    throw fail('invalid-request', `there is no Dockerfile ${file}, neither in the context nor here`, { field });
  }
  const inside = pathInside(root, path);
  if (inside !== undefined) return { path: inside };
  const content = await readFile(path);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return { name: `.dockerfile.${hash}`, content };
}

/** A folder as a context; packed each time it is opened. `root` is a real path. */
export function openDirectory(root: string, options: Omit<PackOptions, 'kind'>): ArchiveContext {
  return {
    kind: 'archive',
    isRepeatable: true,
    folder: { root, dockerfile: options.dockerfile },
    open: async (signal, onPacked) => {
      const onProgress = ({ bytes }: { readonly bytes: number }): void => onPacked(bytes);
      return (await packDirectory(root, { ...options, kind: 'upload', signal, onProgress })).stream;
    },
    measure: (signal) => measureDirectory(root, options.dockerfile, signal),
  };
}
