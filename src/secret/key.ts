import { hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../domain/failure.ts';

const keyBytes = 32;

/** Reads a key of 32 bytes written as 64 hexadecimal digits or as base64. Throws `invalid-request` for anything else. */
export function parseKey(text: string): Buffer {
  const trimmed = text.trim();
  const key = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64');
  if (key.length === keyBytes) return key;
  throw fail('invalid-request', 'the installation key must be 32 bytes, as 64 hexadecimal digits or as base64', {
    field: 'SLIPWAY_KEY',
    hint: 'make one with: openssl rand -hex 32',
  });
}

/** At least one key, the one that seals first. */
export type Keys = readonly [Buffer, ...Buffer[]];

const mostKeys = 10;

/** Reads one or more keys with commas or line ends between them. Throws `invalid-request` as {@link parseKey} does, and for too many. */
export function parseKeys(text: string): Keys {
  const [first = '', ...others] = text.split(/[\s,]+/).filter((one) => one !== '');
  if (others.length >= mostKeys)
    throw fail('invalid-request', `an installation has at most ${mostKeys} keys`, { field: 'SLIPWAY_KEY' });
  return [parseKey(first), ...others.map(parseKey)];
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Reads a private file (mode 0600), or makes it with `make()` first. Processes that start at the same moment all come to the same
 * content: the file appears whole, and only once.
 */
export async function readOrMake(file: string, make: () => string): Promise<string> {
  const found = await readIfThere(file);
  if (found !== undefined) return found;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, make(), { mode: 0o600, flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}

/** A short name for a key that says nothing of it. */
export function keyIdOf(key: Buffer): string {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'key id', 4)).toString('hex');
}

/**
 * What an installation's objects on a shared engine are labelled with: its name for people, and a part that tells two installations of the
 * same name apart. Says nothing of the keys it comes from: of the oldest one, and kept in `dataDir` from then on, so that what is on the
 * engine is still ours after the key was changed.
 */
export async function labelInstallation(name: string, dataDir: string, keys: Keys): Promise<string> {
  const oldest = keys.at(-1) ?? keys[0];
  const make = (): string =>
    `${Buffer.from(hkdfSync('sha256', oldest, Buffer.alloc(0), 'installation label', 6)).toString('hex')}\n`;
  const id = await readOrMake(join(dataDir, 'installation-id'), make);
  return `${name}-${id.trim()}`;
}
