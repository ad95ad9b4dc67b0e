import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { findBackground } from './background.ts';
import { findControlGroups } from './control-groups.ts';
import { isSupportedApi, probeEngine, type EngineFacts } from './engine-probe.ts';
import { findPrivateEngine, privateEngineHost } from './private-engine.ts';
import { listProcesses } from './processes.ts';
import { hideSecrets, normalizeRedisUrl, probeRedis, type RedisFacts } from './redis-probe.ts';
import { privateRedisSocket, redisProcess, usualAddresses } from './redis.ts';
import type { HostTools } from './tools.ts';

/** One thing that `slipway doctor` looked at. */
export interface Finding {
  readonly name: string;
  /** `warn`: works, but something should be known; `fail`: Slipway cannot run like this. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly hint?: string;
}

/** Where to look. */
export interface InspectWish {
  readonly dataDir: string;
  readonly redisUrl?: string | undefined;
  readonly engineHost?: string | undefined;
  /** See {@link usualSockets}. */
  readonly usualEngines: readonly string[];
  readonly usualRedis?: readonly string[];
  /** `process.versions.node`. */
  readonly nodeVersion: string;
}

const gibibyte = 1024 ** 3;

/** Looks at all that Slipway needs of the host, and starts or changes nothing. */
export async function inspectHost(tools: HostTools, wish: InspectWish): Promise<readonly Finding[]> {
  const [redis, engine] = await Promise.all([inspectRedis(wish), inspectEngine(tools, wish)]);
  return [
    inspectNode(wish.nodeVersion),
    inspectGit(tools),
    redis,
    engine,
    inspectDisk(wish.dataDir),
    inspectControlGroups(),
    inspectProcesses(wish.dataDir),
  ];
}

function inspectNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > 20 || (major === 20 && minor >= 19);
  const detail = `${version} (20.19 or newer is needed)`;
  return { name: 'Node.js', status: isEnough ? 'ok' : 'fail', detail };
}

function inspectGit({ commands }: HostTools): Finding {
  const path = commands.find('git');
  if (path !== undefined) return { name: 'git', status: 'ok', detail: path };
  return {
    name: 'git',
    status: 'warn',
    detail: 'not installed: contexts from git cannot be built',
    hint: 'apt-get install git',
  };
}

function listRedisAddresses(wish: InspectWish): readonly string[] {
  if (wish.redisUrl !== undefined) return [normalizeRedisUrl(wish.redisUrl)];
  const hasOwn = findBackground(wish.dataDir, redisProcess) !== undefined;
  const own = hasOwn ? [privateRedisSocket(wish.dataDir)] : [];
  return [...own, ...(wish.usualRedis ?? usualAddresses)];
}

async function inspectRedis(wish: InspectWish): Promise<Finding> {
  const name = 'Redis';
  for (const url of listRedisAddresses(wish)) {
    const answer = await probeRedis(url);
    if (answer.ok) return judgeRedis(hideSecrets(url), answer.facts);
  }
  if (wish.redisUrl !== undefined) return { name, status: 'fail', detail: 'nothing answers at REDIS_URL' };
  return { name, status: 'warn', detail: 'none runs: slipway up starts a private one' };
}

function judgeRedis(url: string, { version, policy }: RedisFacts): Finding {
  const name = 'Redis';
  const detail = `${version || 'unknown version'} at ${url}, maxmemory-policy ${policy || 'unknown'}`;
  if (policy === 'noeviction' || policy === '') return { name, status: 'ok', detail };
  const hint = 'A queue loses jobs when Redis evicts keys: set maxmemory-policy noeviction.';
  return { name, status: 'warn', detail, hint };
}

async function inspectEngine({ isRoot }: HostTools, wish: InspectWish): Promise<Finding> {
  const name = 'container engine';
  const own = await findPrivateEngine(wish.dataDir);
  const hosts = own === undefined ? wish.usualEngines : [privateEngineHost(wish.dataDir)];
  for (const host of wish.engineHost === undefined ? hosts : [wish.engineHost]) {
    const answer = await probeEngine(host);
    if (answer.ok) return judgeEngine(host, answer.facts);
  }
  if (wish.engineHost !== undefined) return { name, status: 'fail', detail: 'nothing answers at DOCKER_HOST' };
  const detail = isRoot ? 'none runs: slipway up starts a private one' : 'none answers, and only root can start one';
  return { name, status: isRoot ? 'warn' : 'fail', detail };
}

/** The first release of the engine whose classic builder checks what it takes from its cache (CVE-2024-24557). */
const safeClassicBuilder = [24, 0, 9] as const;

function judgeEngine(host: string, { version, apiVersion }: EngineFacts): Finding {
  const name = 'container engine';
  const detail = `${version} (API ${apiVersion}) at ${host}`;
  if (!isSupportedApi(apiVersion))
    return { name, status: 'fail', detail, hint: 'API 1.39 (Docker 18.09) or newer is needed.' };
  const parts = version.split(/[.+~-]/).map(Number);
  const difference = safeClassicBuilder.map((part, index) => (parts[index] ?? 0) - part).find((one) => one !== 0) ?? 0;
  if (difference >= 0) return { name, status: 'ok', detail };
  const hint =
    'Older than 24.0.9: build untrusted sources with BuildKit only, never with the classic builder (CVE-2024-24557).';
  return { name, status: 'warn', detail, hint };
}

function inspectDisk(dataDir: string): Finding {
  let directory = dataDir;
  while (!existsSync(directory)) directory = dirname(directory);
  const { bavail, bsize, files, ffree } = statfsSync(directory);
  const free = bavail * bsize;
  const inodes = files === 0 ? 1 : ffree / files;
  const detail = `${(free / gibibyte).toFixed(1)} GiB free under ${dataDir}`;
  if (free < gibibyte) return { name: 'disk', status: 'fail', detail };
  const isTight = free < 5 * gibibyte || inodes < 0.05;
  return {
    name: 'disk',
    status: isTight ? 'warn' : 'ok',
    detail: inodes < 0.05 ? `${detail}, few inodes left` : detail,
  };
}

function inspectControlGroups(): Finding {
  const name = 'control groups';
  const version = findControlGroups();
  if (version !== undefined) return { name, status: 'ok', detail: `version ${version}` };
  return { name, status: 'warn', detail: 'not mounted: slipway up as root mounts them for a private engine' };
}

function inspectProcesses(dataDir: string): Finding {
  const running = listProcesses(dataDir);
  const detail = running.map(({ role, pid }) => `${role} (pid ${pid})`).join(', ');
  return { name: 'Slipway', status: 'ok', detail: detail || 'not running in the background' };
}
