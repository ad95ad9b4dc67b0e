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

/** Where a build reads from: something that the server fetches itself, or an archive that is sent to it. */
export type BuildContext =
  { readonly kind: 'remote'; readonly location: string; readonly dockerFilePath: string } | ArchiveContext;

export interface ArchiveContext {
  readonly kind: 'archive';
  readonly dockerFilePath: string;
  /** Opens the archive, from its beginning each time where `isRepeatable`. */
  readonly open: (signal: AbortSignal, onPacked: (bytes: number) => void) => Promise<Readable>;
  readonly isRepeatable: boolean;
  /** Bytes of files that go in, as far as that is known beforehand; asked for only to show progress. */
  readonly measure?: (signal: AbortSignal) => Promise<number>;
}

const remote = /^(?:[a-z][a-z0-9+.-]*:\/\/|[A-Za-z0-9][\w.-]*@[\w.-]+:|github\.com\/)/i;

export interface ContextWish {
  /** What `-f` said. */
  readonly file?: string | undefined;
  /** Whether a folder is compressed: worth its time on a network, and not on the way to a server on this machine. */
  readonly compress: boolean;
}

/**
 * Finds out what a CONTEXT word means: `-`, a URL, a directory or an archive file.
 * @throws `invalid-request` naming what is not there.
 */
export async function findContext(io: CliIo, word: string, wish: ContextWish): Promise<BuildContext> {
  const { file } = wish;
  if (word === '-') return openStdin(io, file);
  const path = resolve(io.cwd, word);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return openDirectory(io, path, wish);
  const dockerFilePath = file ?? 'Dockerfile';
  if (found?.isFile()) {
    return { kind: 'archive', dockerFilePath, isRepeatable: true, open: () => Promise.resolve(createReadStream(path)) };
  }
  if (remote.test(word)) {
    parseSourceLocation(word, 'CONTEXT');
    return { kind: 'remote', location: word, dockerFilePath };
  }
  const hint = 'Name a directory, a tar archive, a git URL, the URL of a tar archive, or - for a tar archive on stdin.';
  throw fail('invalid-request', `the context ${word} does not exist`, { field: 'CONTEXT', hint });
}

function openStdin({ stdin }: CliIo, file: string | undefined): ArchiveContext {
  if (stdin.isTTY === true) {
    const hint = 'Pipe a tar archive in: tar -c . | slipway build -';
    throw fail('invalid-request', 'the context - is a tar archive on stdin, which is a terminal', {
      field: 'CONTEXT',
      hint,
    });
  }
  const open = (): Promise<Readable> => Promise.resolve(stdin);
  return { kind: 'archive', dockerFilePath: file ?? 'Dockerfile', isRepeatable: false, open };
}

/** A Dockerfile's path inside the context, or the file itself when it lies elsewhere. */
type Dockerfile = { readonly path: string } | { readonly name: string; readonly content: Buffer };

/**
 * `-f` counts from the context, as az has it; a file that is not there is looked for from the current directory, as docker has it, and
 * sent along when it lies outside the context.
 */
async function findDockerfile(io: CliIo, root: string, file: string | undefined): Promise<Dockerfile> {
  if (file === undefined) return { path: 'Dockerfile' };
  const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true;
  if (!isAbsolute(file) && (await isFile(resolve(root, file)))) return placeDockerfile(root, resolve(root, file));
  if (await isFile(resolve(io.cwd, file))) return placeDockerfile(root, resolve(io.cwd, file));
  throw fail('invalid-request', `there is no Dockerfile ${file}, neither in the context nor here`, { field: '--file' });
}

async function placeDockerfile(root: string, path: string): Promise<Dockerfile> {
  const inside = relative(root, path);
  const isOutside = inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  if (!isOutside) return { path: inside.split(sep).join('/') };
  const content = await readFile(path);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return { name: `.dockerfile.${hash}`, content };
}

async function openDirectory(io: CliIo, path: string, { file, compress }: ContextWish): Promise<ArchiveContext> {
  const root = await realpath(path);
  const dockerfile = await findDockerfile(io, root, file);
  const options: PackOptions = {
    kind: 'upload',
    gzip: compress,
    ...('path' in dockerfile ? { dockerfile: dockerfile.path } : { extra: [dockerfile] }),
  };
  return {
    kind: 'archive',
    dockerFilePath: 'path' in dockerfile ? dockerfile.path : dockerfile.name,
    isRepeatable: true,
    open: async (signal, onPacked) => {
      const packed = await packDirectory(root, { ...options, signal, onProgress: ({ bytes }) => onPacked(bytes) });
      return packed.stream;
    },
    measure: (signal) => measureDirectory(root, options.dockerfile, signal),
  };
}
