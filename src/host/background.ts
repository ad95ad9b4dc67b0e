import { spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail } from '../domain/failure.ts';
import { claimDataDirectory } from './data-directory.ts';
import { identifyProcess, isAlive } from './identity.ts';

/** A process that goes on when the one that started it ends. */
export interface BackgroundProcess {
  /** Unique within one data directory; also the name of its pid and log files. */
  readonly name: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly logFile: string;
}

/** How to start a {@link BackgroundProcess}. */
export interface BackgroundCommand {
  readonly name: string;
  /** Absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment of the process; undefined: the one of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Working directory; undefined: the root directory, so that no folder of the user is held. */
  readonly directory?: string;
}

interface PidFile extends BackgroundProcess {
  readonly identity: string | null;
}

const namePattern = /^[a-z0-9][a-z0-9-]*$/;

function runDirectory(dataDir: string): string {
  return join(dataDir, 'run');
}

function pidFile(dataDir: string, name: string): string {
  if (!namePattern.test(name)) throw fail('internal', `"${name}" is no name for a background process`);
  return join(runDirectory(dataDir), `${name}.pid.json`);
}

function readPidFile(file: string): PidFile | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PidFile;
  } catch {
    return undefined;
  }
}

function isOurs({ pid, identity }: PidFile): boolean {
  return identity === null ? isAlive(pid) : identifyProcess(pid) === identity;
}

/** The background process of that name if it runs and is the one we started; a stale pid file is removed. */
export function findBackground(dataDir: string, name: string): BackgroundProcess | undefined {
  const file = pidFile(dataDir, name);
  const found = readPidFile(file);
  if (found !== undefined && isOurs(found)) {
    return { name: found.name, pid: found.pid, startedAt: found.startedAt, logFile: found.logFile };
  }
  rmSync(file, { force: true });
  return undefined;
}

/** Every background process of this data directory that runs, in the order of its start. */
export function listBackground(dataDir: string): readonly BackgroundProcess[] {
  const suffix = '.pid.json';
  let files: string[];
  try {
    files = readdirSync(runDirectory(dataDir)).filter((file) => file.endsWith(suffix));
  } catch {
    return [];
  }
  const found = files.map((file) => findBackground(dataDir, file.slice(0, -suffix.length)));
  return found.filter((one) => one !== undefined).sort((a, b) => a.startedAt.localeCompare(b.startedAt));
}

/**
 * Starts a process that outlives this one: own session, no stdin, both outputs appended to `run/NAME.log` (mode 0600).
 * @throws `internal` when the program cannot be started at all; what it does afterwards is for {@link awaitReady}.
 */
export async function startBackground(dataDir: string, command: BackgroundCommand): Promise<BackgroundProcess> {
  claimDataDirectory(dataDir);
  mkdirSync(runDirectory(dataDir), { recursive: true, mode: 0o700 });
  const file = pidFile(dataDir, command.name);
  const logFile = join(runDirectory(dataDir), `${command.name}.log`);
  const log = openSync(logFile, 'a', 0o600);
  chmodSync(logFile, 0o600);
  const child = spawn(command.program, [...command.args], {
    cwd: command.directory ?? '/',
    detached: true,
    stdio: ['ignore', log, log],
    ...(command.environment === undefined ? {} : { env: { ...command.environment } }),
  });
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(fail('internal', `${command.name} could not be started: ${cause.message}`, { cause }));
    });
  });
  child.unref();
  const pid = child.pid ?? 0;
  const made = { name: command.name, pid, startedAt: new Date().toISOString(), logFile };
  writeFileSync(file, JSON.stringify({ ...made, identity: identifyProcess(pid) ?? null }), { mode: 0o600 });
  return made;
}

/** The last lines of a process's log, for the message that says why it did not come up. */
export function readLogTail(logFile: string, lines = 15): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

/**
 * Waits until `probe` gives something, asking again every `intervalMs`.
 * @returns what the probe gave, or undefined when the process ended or the time was up before.
 */
export async function awaitReady<T>(
  dataDir: string,
  name: string,
  probe: () => Promise<T | undefined>,
  { timeoutMs = 30_000, intervalMs = 50 }: { readonly timeoutMs?: number; readonly intervalMs?: number } = {},
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const isRunning = findBackground(dataDir, name) !== undefined;
    const found = await probe();
    if (found !== undefined) return found;
    if (!isRunning) return undefined;
    await sleep(intervalMs);
  }
  return undefined;
}

/**
 * Stops a background process: SIGTERM, then SIGKILL to its whole process group when it is still there after `graceMs`.
 * @returns whether there was one to stop. A process that is not ours is never signalled.
 */
export async function stopBackground(dataDir: string, name: string, graceMs = 10_000): Promise<boolean> {
  const found = findBackground(dataDir, name);
  if (found === undefined) return false;
  signal(found.pid, 'SIGTERM');
  if (!(await hasEnded(dataDir, name, graceMs))) {
    signal(-found.pid, 'SIGKILL');
    await hasEnded(dataDir, name, 5000);
  }
  return true;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended between the look and the signal: what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function hasEnded(dataDir: string, name: string, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (findBackground(dataDir, name) !== undefined) {
    if (performance.now() >= deadline) return false;
    await sleep(25);
  }
  return true;
}
