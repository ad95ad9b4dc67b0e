import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fail } from '../domain/failure.ts';

const mark = '.slipway-data';

/**
 * Makes the data directory (mode 0700) and, when it was new or empty, marks it as Slipway's own, so that a purge may
 * remove it whole.
 */
export function claimDataDirectory(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (readdirSync(dataDir).length === 0) writeFileSync(join(dataDir, mark), '');
}

/**
 * Removes the data directory with all that is in it.
 * @throws `forbidden` for a directory that is not Slipway's alone: somebody's home must survive a wrong SLIPWAY_DATA.
 */
export function removeDataDirectory(dataDir: string): void {
  const path = resolve(dataDir);
  if (!existsSync(path)) return;
  const isOurs = existsSync(join(path, mark)) || /^\.?slipway$/.test(basename(path));
  const isVital = path === dirname(path) || `${resolve(homedir())}/`.startsWith(`${path}/`);
  if (isVital || !isOurs) {
    const hint = 'It held other files when Slipway first used it; remove by hand what you do not need.';
    throw fail('forbidden', `${path} is not removed: it is not Slipway's alone`, { hint });
  }
  rmSync(path, { recursive: true, force: true });
}
