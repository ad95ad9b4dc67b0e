import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, type Stats } from 'node:fs';
import { parseKeys, readOrMake, type Keys } from './key.ts';
import { replaceFile } from './replace-file.ts';

/** The keys of an installation as they are now: the first one seals and signs, every one of them opens and verifies. */
export interface KeyRing {
  keys(): Keys;
}

/** One key for good, or a ring that may change while the process runs. */
export type InstallationKey = Buffer | KeyRing;

/** The keys to open with, the one to seal with first. */
export function keysOf(key: InstallationKey): Keys {
  return Buffer.isBuffer(key) ? [key] : key.keys();
}

/** A new key as it stands in the key file. */
export function makeKey(): string {
  return randomBytes(32).toString('hex');
}

function isSameFile(a: Stats, b: Stats | undefined): boolean {
  return a.ino === b?.ino && a.mtimeMs === b.mtimeMs && a.size === b.size;
}

/** Reads the file again each time that another one has taken its place. While it cannot be read, the keys stay as they are. */
function watchFile(file: string, first: Keys): KeyRing {
  let keys = first;
  let seen: Stats | undefined;
  return {
    keys() {
      try {
        const now = statSync(file);
        if (isSameFile(now, seen)) return keys;
        keys = parseKeys(readFileSync(file, 'utf8'));
        seen = now;
      } catch {
        // What it held last is still the best that is known.
      }
      return keys;
    },
  };
}

/**
 * The installation's keys: they seal secrets at rest and sign URLs and run credentials. All processes of an installation share them.
 * Taken from `given` (SLIPWAY_KEY), else from `file`, which is made at first start and looked at again before each use: a process
 * need not be started anew when it changes.
 * @throws `invalid-request` for what are no keys.
 */
export async function openKeyRing(given: string | undefined, file: string): Promise<KeyRing> {
  if (given !== undefined) {
    const keys = parseKeys(given);
    return { keys: () => keys };
  }
  return watchFile(file, parseKeys(await readOrMake(file, () => `${makeKey()}\n`)));
}

/** Puts a new key file in the place of the one that is there. */
export async function writeKeyFile(file: string, keys: readonly Buffer[]): Promise<void> {
  await replaceFile(file, keys.map((key) => `${key.toString('hex')}\n`).join(''));
}
