import { hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
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

/**
 * The installation's key: seals secrets at rest and signs URLs and run credentials. All processes of an installation share it.
 * Taken from `given` (SLIPWAY_KEY), else from `file`, which is made at first start.
 */
export async function loadKey(given: string | undefined, file: string): Promise<Buffer> {
  if (given !== undefined) return parseKey(given);
  return parseKey(await readOrMake(file, () => `${randomBytes(keyBytes).toString('hex')}\n`));
}

/**
 * What an installation's objects on a shared engine are labelled with: its name for people, and a part that tells two installations of the
 * same name apart. Says nothing of the key.
 */
export function labelInstallation(name: string, key: Buffer): string {
  const id = hkdfSync('sha256', key, Buffer.alloc(0), 'installation label', 6);
  return `${name}-${Buffer.from(id).toString('hex')}`;
}
