import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { identifyProcess, isAlive } from '../host/identity.ts';

/** Says which process does a run, and where, so that a later one can clear up behind a process that was killed. */
interface Mark {
  readonly pid: number;
  /** Null on systems that do not tell processes apart. */
  readonly identity: string | null;
  readonly machine: string;
  readonly engineHost: string;
}

/** A run that its process did not end. */
export interface DeadRun {
  readonly id: string;
  /** Called when nothing is left of it. */
  readonly forget: () => void;
}

const ending = '.json';

function directoryOf(dataDir: string): string {
  return join(dataDir, 'local', 'runs');
}

/** A name for a run that no other run of any process has: 16 letters and digits. */
export function createLocalRunId(now: number): string {
  const time = now.toString(36).padStart(9, '0').slice(-9);
  const chance = BigInt(`0x${randomBytes(5).toString('hex')}`)
    .toString(36)
    .padStart(8, '0')
    .slice(-6);
  return `l${time}${chance}`;
}

/** Writes down that this process does a run on an engine; the returned function takes it back. */
export function markRun(dataDir: string, id: string, engineHost: string): () => void {
  const directory = directoryOf(dataDir);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const identity = identifyProcess(process.pid) ?? null;
  const mark: Mark = { pid: process.pid, identity, machine: hostname(), engineHost };
  const file = join(directory, `${id}${ending}`);
  writeFileSync(file, JSON.stringify(mark), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** A mark that is not whole is one that is being written. */
function readMark(file: string): Mark | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Mark;
  } catch {
    return undefined;
  }
}

/** Of a process on another machine nothing can be said, so that it lives. */
function isLive({ pid, identity, machine }: Mark): boolean {
  if (machine !== hostname()) return true;
  return identity === null ? isAlive(pid) : identifyProcess(pid) === identity;
}

function listFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith(ending));
  } catch {
    return [];
  }
}

/** The runs of this machine on an engine whose process is gone. */
export function findDeadRuns(dataDir: string, engineHost: string): readonly DeadRun[] {
  const directory = directoryOf(dataDir);
  return listFiles(directory).flatMap((name) => {
    const file = join(directory, name);
    const mark = readMark(file);
    if (mark?.engineHost !== engineHost || isLive(mark)) return [];
    return [{ id: name.slice(0, -ending.length), forget: () => rmSync(file, { force: true }) }];
  });
}
