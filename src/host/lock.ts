import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail } from '../domain/failure.ts';
import { claimDataDirectory } from './data-directory.ts';
import { identifyProcess, isAlive } from './identity.ts';

interface Holder {
  readonly pid: number;
  readonly identity: string | null;
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

function take(file: string): boolean {
  try {
    const holder: Holder = { pid: process.pid, identity: identifyProcess(process.pid) ?? null };
    writeFileSync(file, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = readHolder(file);
    const isHeld =
      holder === undefined ||
      (holder.identity === null ? isAlive(holder.pid) : identifyProcess(holder.pid) === holder.identity);
    if (!isHeld) rmSync(file, { force: true });
    return false;
  }
}

/**
 * Runs an action that starts or stops what a data directory has, one process at a time; the lock of a process that
 * died is taken over.
 * @throws `conflict` when another process holds it for `timeoutMs`.
 */
export async function withHostLock<T>(dataDir: string, action: () => Promise<T>, timeoutMs = 120_000): Promise<T> {
  claimDataDirectory(dataDir);
  const directory = join(dataDir, 'run');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'lock');
  const deadline = performance.now() + timeoutMs;
  while (!take(file)) {
    if (performance.now() >= deadline) {
      const hint = `If no other slipway runs, remove ${file}.`;
      throw fail('conflict', `another slipway is starting or stopping what ${dataDir} has`, { hint });
    }
    await sleep(50);
  }
  try {
    return await action();
  } finally {
    rmSync(file, { force: true });
  }
}
