import { constants } from 'node:fs';
import { open, readlink, type FileHandle } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { fail } from '../domain/failure.ts';
import { staysInside } from './archive-rules.ts';
import { findDockerfile, findIgnoreRules, openRoot, type NamedRules } from './context-files.ts';
import { readAhead } from './read-ahead.ts';
import { encodeMember, endOfArchive, paddingFor, type TarMember } from './tar-writer.ts';
import { toReadFailure, walkDirectory, type WalkedEntry } from './walk.ts';

/** How far packing has come: members written and bytes of file data. */
export interface PackProgress {
  readonly entries: number;
  readonly bytes: number;
}

export interface PackOptions {
  /**
   * `upload`: leaves out .git, .hg, .svn and .bzr at the root, and refuses links out of the root, as the server would.
   * `git`: leaves out .git wherever it is.
   */
  readonly kind: 'upload' | 'git';
  /** Path of the Dockerfile, relative to the root; it must be there, and is sent whatever `.dockerignore` says. */
  readonly dockerfile?: string;
  /** `nothing`: no ignore file is honoured. */
  readonly ignore?: 'nothing';
  /** Compresses at level 1: an upload costs more than the last few percent save. */
  readonly gzip?: boolean;
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  /** Files from elsewhere to be put at the root (a Dockerfile outside the context). */
  readonly extra?: readonly { readonly name: string; readonly content: Buffer }[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PackProgress) => void;
}

export interface PackedDirectory {
  /** The tar, or tar.gz. It is destroyed with a FailureError when packing fails, or with the signal's reason. */
  readonly stream: Readable;
  /** The ignore file that was honoured, relative to the root. */
  readonly ignoreFile?: string;
}

const chunkBytes = 256 * 1024;
/** Small files that are read at the same time: the disk and the thread pool have little to do with one. */
const filesAtOnce = 16;

/**
 * Packs a directory as a build context: sorted names, mode and mtime kept, owner 0, symbolic links as links, hard links
 * as files. The same tree gives the same bytes. `.dockerignore`, or `<Dockerfile>.dockerignore` where there is one, is
 * honoured as Docker does.
 * @throws `invalid-request` (no such directory; no Dockerfile, field `dockerFilePath`), `invalid-context` (ignore file).
 */
export async function packDirectory(root: string, options: PackOptions): Promise<PackedDirectory> {
  const real = await openRoot(root);
  const dockerfile = options.dockerfile === undefined ? undefined : await findDockerfile(real, options.dockerfile);
  const ignore = options.ignore === 'nothing' ? undefined : await findIgnoreRules(real, dockerfile);
  const tar = Readable.from(writeArchive({ root: real, dockerfile, ignore, options }), { objectMode: false });
  const stream = options.gzip === true ? compress(tar) : tar;
  return { stream, ...(ignore !== undefined && { ignoreFile: ignore.name }) };
}

function compress(tar: Readable): Readable {
  // The callback only keeps the error from being uncaught: the gzip stream is destroyed with it.
  return pipeline(tar, createGzip({ level: 1, chunkSize: 64 * 1024 }), () => undefined);
}

interface Packing {
  readonly root: string;
  readonly dockerfile: string | undefined;
  readonly ignore: NamedRules | undefined;
  readonly options: PackOptions;
}

async function* writeArchive(packing: Packing): AsyncGenerator<Buffer, void> {
  const { options } = packing;
  const progress = { entries: 0, bytes: 0 };
  for (const { name, content } of options.extra ?? []) {
    yield encodeMember({ kind: 'file', name, mode: 0o644, mtime: 0, size: content.length });
    yield Buffer.concat([content, paddingFor(content.length)]);
  }
  for await (const { entry, chunk } of readAhead(walk(packing), filesAtOnce, (one) => readEntry(one, options))) {
    progress.entries += 1;
    progress.bytes += entry.stats.isFile() ? entry.stats.size : 0;
    checkBounds(progress, options);
    if (chunk === undefined) yield* writeLargeFile(entry, options.signal);
    else yield chunk;
    options.onProgress?.({ ...progress });
  }
  yield endOfArchive;
}

function walk({ root, dockerfile, ignore, options }: Packing): AsyncGenerator<WalkedEntry> {
  const always = new Set([dockerfile, ignore?.name].filter((name) => name !== undefined));
  const isDropped = options.kind === 'git' ? isGitDirectory : isVersionControlRoot;
  const { signal } = options;
  return walkDirectory(root, { ignore: ignore?.rules, always, isDropped, ...(signal !== undefined && { signal }) });
}

function checkBounds(progress: PackProgress, { maxBytes = Infinity, maxEntries = Infinity }: PackOptions): void {
  if (progress.bytes > maxBytes) {
    throw fail('too-large', `the context is larger than the ${String(maxBytes)} bytes allowed`);
  }
  if (progress.entries > maxEntries) {
    throw fail('too-large', `the context has more than the ${String(maxEntries)} entries allowed`);
  }
}

function isGitDirectory(name: string): boolean {
  return name === '.git' || name.endsWith('/.git');
}

function isVersionControlRoot(name: string): boolean {
  return name === '.git' || name === '.hg' || name === '.svn' || name === '.bzr';
}

interface ReadEntry {
  readonly entry: WalkedEntry;
  /** The whole member; undefined for a large file, which is read when its turn comes. */
  readonly chunk: Buffer | undefined;
}

async function readEntry(entry: WalkedEntry, { kind }: PackOptions): Promise<ReadEntry> {
  const { name, absolute, stats } = entry;
  try {
    if (stats.isDirectory()) return { entry, chunk: encodeMember({ ...memberOf(entry), kind: 'directory' }) };
    if (stats.isSymbolicLink()) {
      const linkName = await readlink(absolute);
      if (kind === 'upload') assertLinkInside(name, linkName);
      return { entry, chunk: encodeMember({ ...memberOf(entry), kind: 'symlink', linkName }) };
    }
    return { entry, chunk: stats.size > chunkBytes ? undefined : await readSmallFile(entry) };
  } catch (error) {
    throw toReadFailure(error, name);
  }
}

function memberOf({ name, stats }: WalkedEntry): TarMember {
  const mtime = Math.floor(stats.mtimeMs / 1000);
  return { kind: 'file', name, mode: stats.mode & 0o7777, mtime, size: stats.isFile() ? stats.size : 0 };
}

function assertLinkInside(name: string, target: string): void {
  if (!target.startsWith('/') && staysInside(name, target)) return;
  throw fail('invalid-context', `${name} is a symbolic link out of the context, to ${JSON.stringify(target)}`, {
    hint: 'exclude it with .dockerignore, or put a copy of the file in its place',
  });
}

/** What was a file a moment ago may have become a link or a pipe: neither is followed or waited for. */
function openFile(absolute: string): Promise<FileHandle> {
  return open(absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

async function readSmallFile(entry: WalkedEntry): Promise<Buffer> {
  const member = memberOf(entry);
  if (member.size === 0) return encodeMember(member);
  const file = await openFile(entry.absolute);
  try {
    return Buffer.concat([encodeMember(member), await readExactly(file, member, 0), paddingFor(member.size)]);
  } finally {
    await file.close();
  }
}

async function* writeLargeFile(entry: WalkedEntry, signal?: AbortSignal): AsyncGenerator<Buffer, void> {
  const member = memberOf(entry);
  try {
    const file = await openFile(entry.absolute);
    try {
      yield encodeMember(member);
      for (let at = 0; at < member.size; at += chunkBytes) {
        signal?.throwIfAborted();
        yield await readExactly(file, member, at);
      }
      yield paddingFor(member.size);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw toReadFailure(error, member.name);
  }
}

/** The chunk of the file that begins at `at`; what was added to the file after its size was read is left out. */
async function readExactly(file: FileHandle, member: TarMember, at: number): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, member.size - at));
  for (let have = 0; have < chunk.length;) {
    const { bytesRead } = await file.read(chunk, have, chunk.length - have, at + have);
    if (bytesRead === 0) throw fail('invalid-context', `${member.name} became shorter while it was being read`);
    have += bytesRead;
  }
  return chunk;
}
