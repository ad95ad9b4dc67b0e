import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { fail } from '../domain/failure.ts';
import type { RunId } from '../domain/run.ts';
import { claimDataDirectory } from '../host/data-directory.ts';
import { usualSockets } from '../host/engine.ts';
import { connectEngine, createDockerRunner, type DockerRunner, type Engine } from '../runner/docker/index.ts';
import { readOrMake } from '../secret/key.ts';
import { createArchiveFilter } from '../source/filter-archive.ts';
import { readMemory } from './host-memory.ts';
import type { CliIo } from './io.ts';
import { findDeadRuns, markRun } from './run-marks.ts';

/** The engine that DOCKER_HOST names, else the first that answers: the one of `slipway up`, those at the usual places. */
async function findEngine(io: CliIo, { engineHost, dataDir }: Config): Promise<Engine> {
  const known = readMemory(dataDir)?.engineHost;
  const usual = [...(known === undefined ? [] : [known]), ...usualSockets(homedir(), io.env['XDG_RUNTIME_DIR'])];
  const hosts = engineHost === undefined ? [...new Set(usual)] : [engineHost];
  for (const host of hosts) {
    const engine = connectEngine({ host });
    try {
      await engine.version();
      return engine;
    } catch (error) {
      engine.close();
      if (engineHost !== undefined) throw error;
    }
  }
  const hint = 'Start one, or name it with DOCKER_HOST; slipway doctor says what is asked, slipway up starts one.';
  throw fail('engine-unavailable', `no container engine answers at ${hosts.join(' or ')}`, { hint });
}

/** What a run works with on this machine. */
export interface LocalSite {
  readonly engine: Engine;
  readonly runner: DockerRunner;
  /** A directory of the run's own. */
  readonly tempRoot: string;
  /** Resolves when nothing of the run is left on the engine and the disk. Called once, at the end. */
  readonly clear: () => Promise<void>;
}

interface Place {
  readonly dataDir: string;
  readonly engine: Engine;
  readonly runner: DockerRunner;
}

function workDirectory(dataDir: string, id: string): string {
  return join(dataDir, 'local', 'work', id);
}

/** Removes what killed runs of this machine left on the engine. What does not work is tried again by the next run. */
async function clearUpBehind({ dataDir, engine, runner }: Place): Promise<void> {
  const dead = findDeadRuns(dataDir, engine.host);
  if (dead.length === 0) return;
  const ids = new Set(dead.map(({ id }) => id));
  const liveRuns = { has: (id: string) => !ids.has(id) };
  for (const id of ids) rmSync(workDirectory(dataDir, id), { recursive: true, force: true });
  await runner.sweep({ liveRuns, keepImages: Number.MAX_SAFE_INTEGER }).then(
    () => {
      for (const { forget } of dead) forget();
    },
    () => undefined,
  );
}

/** The name under which local runs of this data directory are on engines. */
async function readInstallation(dataDir: string): Promise<string> {
  const file = join(dataDir, 'local', 'name');
  return (await readOrMake(file, () => `local-${randomBytes(6).toString('hex')}`)).trim();
}

/** What a run has to be told apart by. */
export interface LocalRunName {
  readonly id: RunId;
  readonly registryHost: string;
}

/**
 * Makes this machine ready for a run: finds an engine, clears up behind runs that were killed, and writes down that this one is under way.
 * Composition root.
 * @throws `engine-unavailable` when no container engine answers.
 */
export async function openLocalSite(io: CliIo, config: Config, { id, registryHost }: LocalRunName): Promise<LocalSite> {
  const { dataDir } = config;
  const engine = await findEngine(io, config);
  claimDataDirectory(dataDir);
  const installation = await readInstallation(dataDir);
  const tempRoot = workDirectory(dataDir, id);
  let isClean = true;
  const logger = { warn: () => void (isClean = false) };
  const packIgnored = createArchiveFilter(tempRoot);
  const labels = { labelsBases: config.patching.labelsBases };
  const own = { installation, registryHost, logger, packIgnored };
  const runner = createDockerRunner({ engine, clock: io.clock, ...own, ...config.steps, ...labels });
  const forget = markRun(dataDir, id, engine.host);
  mkdirSync(tempRoot, { recursive: true, mode: 0o700 });
  await clearUpBehind({ dataDir, engine, runner });
  const clear = async (): Promise<void> => {
    await runner.settle();
    rmSync(tempRoot, { recursive: true, force: true });
    if (isClean) forget();
    engine.close();
  };
  return { engine, runner, tempRoot, clear };
}
