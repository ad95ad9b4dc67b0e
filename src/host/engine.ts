import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail } from '../domain/failure.ts';
import { isSupportedApi, parseEngineHost, probeEngine, type EngineFacts } from './engine-probe.ts';
import { withHostLock } from './lock.ts';
import {
  ensureEnginePrograms,
  findPrivateEngine,
  privateEngineHost,
  startPrivateEngine,
  type PrivateEngineOptions,
} from './private-engine.ts';
import type { HostTools } from './tools.ts';

/** Where to look for a container engine, and what may be done when there is none. */
export interface EngineWish extends PrivateEngineOptions {
  /** `DOCKER_HOST`: this one and no other. */
  readonly host?: string | undefined;
  /** The usual sockets (see {@link usualSockets}), tried in order. */
  readonly usual: readonly string[];
}

/** A container engine that answers at `host` (`unix:///…`, `tcp://…`). */
export interface FoundEngine {
  readonly host: string;
  readonly facts: EngineFacts;
  /** True when it is a private one that this call started. */
  readonly started: boolean;
  readonly isPrivate: boolean;
}

/** The sockets where container engines usually listen: the system's, a rootless one's, a desktop's. */
export function usualSockets(homeDir: string, runtimeDir?: string): readonly string[] {
  const rootless = runtimeDir === undefined ? [] : [join(runtimeDir, 'docker.sock')];
  const own = ['.docker/run/docker.sock', '.docker/desktop/docker.sock'].map((path) => join(homeDir, path));
  return ['/var/run/docker.sock', ...rootless, ...own].map((path) => `unix://${path}`);
}

/**
 * Finds a container engine or starts one: `DOCKER_HOST`; the private one of this data directory if it runs; the usual
 * sockets; a new private one (root only).
 * @throws `engine-unavailable` that says what to do.
 */
export async function ensureEngine(tools: HostTools, wish: EngineWish): Promise<FoundEngine> {
  if (wish.host !== undefined) return useGiven(wish.host);
  const own = await findPrivateEngine(wish.dataDir);
  if (own !== undefined) return { host: privateEngineHost(wish.dataDir), facts: own, started: false, isPrivate: true };
  const faults: string[] = [];
  const usual = await findUsual(wish.usual, faults);
  if (usual !== undefined) return usual;
  return startOwn(tools, wish, faults);
}

async function useGiven(host: string): Promise<FoundEngine> {
  const answer = await probeEngine(host, 10_000);
  if (answer.ok && isSupportedApi(answer.facts.apiVersion)) {
    return { host, facts: answer.facts, started: false, isPrivate: false };
  }
  const why = answer.ok ? `its API ${answer.facts.apiVersion} is too old (1.39 is needed)` : answer.why;
  const hint = 'Start that engine, or unset DOCKER_HOST and Slipway finds or starts one itself.';
  throw fail('engine-unavailable', `no container engine can be used at ${host} (DOCKER_HOST): ${why}`, { hint });
}

async function findUsual(sockets: readonly string[], faults: string[]): Promise<FoundEngine | undefined> {
  for (const host of sockets) {
    const where = parseEngineHost(host);
    if (where !== undefined && 'socketPath' in where && !existsSync(where.socketPath)) continue;
    const answer = await probeEngine(host);
    if (!answer.ok) faults.push(answer.code === 'EACCES' ? `no right to use ${host}` : `${host}: ${answer.why}`);
    else if (!isSupportedApi(answer.facts.apiVersion))
      faults.push(`${host}: its API ${answer.facts.apiVersion} is too old`);
    else return { host, facts: answer.facts, started: false, isPrivate: false };
  }
  return undefined;
}

async function startOwn(tools: HostTools, wish: EngineWish, faults: readonly string[]): Promise<FoundEngine> {
  if (!tools.isRoot) throw refuse(tools, faults);
  const wasInstalled = tools.commands.find('dockerd') !== undefined;
  const started = wasInstalled ? undefined : await installAndLook(tools, wish);
  if (started !== undefined) return started;
  const host = await withHostLock(wish.dataDir, async () => {
    const isThere = (await findPrivateEngine(wish.dataDir)) !== undefined;
    return isThere ? privateEngineHost(wish.dataDir) : startPrivateEngine(tools, wish);
  });
  const answer = await probeEngine(host);
  if (answer.ok) return { host, facts: answer.facts, started: true, isPrivate: true };
  throw fail('engine-unavailable', `the private container engine stopped answering: ${answer.why}`);
}

/** On a host with systemd, installing the package also starts the system's engine: then that one is the usual one. */
async function installAndLook(tools: HostTools, wish: EngineWish): Promise<FoundEngine | undefined> {
  await ensureEnginePrograms(tools, wish.install);
  const tries = existsSync('/run/systemd/system') ? 40 : 1;
  for (let left = tries; left > 0; left -= 1) {
    const found = await findUsual(wish.usual, []);
    if (found !== undefined) return found;
    if (left > 1) await sleep(250);
  }
  return undefined;
}

function refuse(tools: HostTools, faults: readonly string[]): Error {
  const denied = faults.some((fault) => fault.startsWith('no right'));
  const install = tools.commands.find('dockerd') === undefined;
  const hint = denied
    ? 'Add yourself to the docker group (sudo usermod -aG docker "$USER", then log in again), or set DOCKER_HOST.'
    : install
      ? 'On Debian or Ubuntu: sudo apt-get update && sudo apt-get install -y --no-install-recommends docker.io. Or set DOCKER_HOST.'
      : 'Start it (sudo systemctl start docker), run this as root so that Slipway starts a private one, or set DOCKER_HOST.';
  const seen = faults.length === 0 ? '' : ` (${faults.join('; ')})`;
  return fail('engine-unavailable', `no container engine answers${seen}`, { hint });
}
