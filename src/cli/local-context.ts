import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fail } from '../domain/failure.ts';
import { readArchiveFile } from '../source/archive-file.ts';
import { inspectArchive } from '../source/inspect.ts';
import type { Context, ContextLimits } from '../source/ports.ts';
import type { ArchiveContext, Folder } from './context.ts';
import { findSent } from './task-source.ts';

/** How a context of this machine is opened for a run on this machine. */
export interface LocalContextOptions {
  /** What the run's log calls it. */
  readonly description: string;
  /** An existing directory that goes with the run. */
  readonly tempRoot: string;
  readonly limits: ContextLimits;
  readonly signal: AbortSignal;
}

/** A file of a folder as a packed archive would give it: what `.dockerignore` keeps back or a link leads to is not there. */
async function readFolderFile(folder: Folder, name: string, maxBytes: number): Promise<string | undefined> {
  const path = join(folder.root, name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || (await realpath(path)) !== path) return undefined;
  if ((await findSent(folder, path)) === undefined) return undefined;
  if (found.size <= maxBytes) return readFile(path, 'utf8');
  throw fail('too-large', `${name} has ${found.size} bytes; at most ${maxBytes} are read`, { field: name });
}

/** An archive that may be read more than once: one that comes through a pipe is kept beside the run. */
async function makeRepeatable(archive: ArchiveContext, options: LocalContextOptions): Promise<() => Promise<Readable>> {
  const open = (): Promise<Readable> => archive.open(options.signal, () => undefined);
  if (archive.isRepeatable) return open;
  const file = join(options.tempRoot, 'context');
  await pipeline(await open(), createWriteStream(file), { signal: options.signal });
  return async () => createReadStream(file);
}

/**
 * Opens a folder or an archive of this machine as a run reads it. A folder is packed each time it is read; an archive is checked first, as a
 * server does with what is sent to it.
 * @throws `invalid-context` or `too-large` for an archive that a server would refuse; the signal's reason.
 */
export async function openLocalContext(archive: ArchiveContext, options: LocalContextOptions): Promise<Context> {
  const { description, limits, signal } = options;
  const { folder } = archive;
  const open = await makeRepeatable(archive, options);
  if (folder === undefined) await inspectArchive(await open(), limits, signal);
  return {
    description,
    open,
    readFile: async (name, maxBytes) =>
      folder === undefined ? readArchiveFile(await open(), name, maxBytes) : readFolderFile(folder, name, maxBytes),
    dispose: async () => undefined,
  };
}
