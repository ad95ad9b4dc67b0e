import { randomBytes } from 'node:crypto';
import { link, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, FailureError } from '../../domain/failure.ts';
import { formatSequence, parseSequence } from '../journal-rules.ts';
import { systemCode } from './errors.ts';

/** A directory that this process alone works in. */
export interface Ownership {
  /** Lets others have it. Idempotent. */
  release(): Promise<void>;
}

/** What the kernel takes as the path of a socket, less the longest name below. */
const mostSocketPath = 60;
/** Sockets of earlier owners that stay, so that no listing, however slow, sees none at all. */
const keptGenerations = 4;

/**
 * Makes this process the owner of a directory (made when missing), until it releases it or dies: then the next one can
 * have it at once, for it is the kernel that knows. Holds between containers that share the directory on one host.
 *
 * Each owner listens on a socket with a number (`.owner-0000000000000001.sock`), one higher than that of the owner before
 * it. A number is taken by linking a socket that listens already, which only one can do, and the highest is never removed.
 * @throws `conflict` when another process is the owner; `storage-unavailable` when the directory takes no sockets.
 */
export async function ownDirectory(directory: string): Promise<Ownership> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return await withShortPath(directory, (short) => own(directory, short));
  } catch (error) {
    if (error instanceof FailureError) throw error;
    const why = systemCode(error) ?? 'unknown error';
    throw fail('storage-unavailable', `no socket can be made in ${directory} (${why})`, {
      cause: error,
      hint: 'the data directory has to be writable, on a file system of this host that knows sockets',
    });
  }
}

/** Sockets have short paths: a longer one goes through a link, which only making and asking need. */
async function withShortPath<T>(directory: string, work: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(directory) <= mostSocketPath) return work(directory);
  const folder = await mkdtemp(join(tmpdir(), 'slipway-own-'));
  try {
    const short = join(folder, 'd');
    await symlink(directory, short, 'dir');
    return await work(short);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function own(directory: string, short: string): Promise<Ownership> {
  const name = `.starting-${randomBytes(8).toString('hex')}`;
  const server = await listen(join(short, name));
  try {
    await takeNumber(directory, short, name);
    await removeDeadStarters(directory, short, name);
    return { release: () => closeServer(server) };
  } catch (error) {
    await closeServer(server);
    throw error;
  } finally {
    await rm(join(directory, name), { force: true });
  }
}

/** Links the socket to the number after the highest one, whose owner is gone; rejects when it is not. */
async function takeNumber(directory: string, short: string, name: string): Promise<void> {
  for (;;) {
    const last = (await listOwners(directory)).at(-1) ?? 0;
    if (last > 0 && (await isAlive(join(short, ownerName(last))))) throw owned(directory);
    const mine = last + 1;
    if (!(await tryLink(join(directory, name), join(directory, ownerName(mine))))) continue;
    const owners = await listOwners(directory);
    if (owners.at(-1) === mine) {
      const old = owners.filter((number) => number <= mine - keptGenerations);
      await Promise.all(old.map((number) => rm(join(directory, ownerName(number)), { force: true })));
      return;
    }
    await rm(join(directory, ownerName(mine)), { force: true }); // the listing before was of long ago
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The numbers of the owners that there have been, ascending. */
async function listOwners(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  const numbers = names.map((name) => parseSequence(/^\.owner-(\d+)\.sock$/.exec(name)?.[1] ?? ''));
  return numbers.filter((number) => number !== undefined).sort((a, b) => a - b);
}

/** Removes the sockets of processes that died while they were starting. */
async function removeDeadStarters(directory: string, short: string, own: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith('.starting-') || name === own) continue;
    if (!(await isAlive(join(short, name)))) await rm(join(directory, name), { force: true });
  }
}

function ownerName(number: number): string {
  return `.owner-${formatSequence(number)}.sock`;
}

async function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.on('error', () => undefined); // it still listens: whoever asks may ask again
  return server.unref();
}

/** False when nobody listens there. */
async function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error) => {
      const code = systemCode(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      else if (code === 'EAGAIN' || code === 'ECONNRESET') resolve(true);
      else reject(error);
    });
  });
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

function owned(directory: string): FailureError {
  return fail('conflict', `another process works in ${directory}`, {
    hint: 'stop the other server, or give this one a data directory of its own',
  });
}
