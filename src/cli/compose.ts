import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { systemClock } from '../domain/clock.ts';
import { fail } from '../domain/failure.ts';
import { parseRedisUrl } from '../domain/redis-url.ts';
import { prepareCertificate } from '../compose/certificates.ts';
import { openKeyDesk } from '../compose/key-desk.ts';
import { checkOffline } from '../compose/registry-offline.ts';
import { createNodeBaseImage } from '../host/base-image.ts';
import { claimDataDirectory } from '../host/data-directory.ts';
import { ensureEngine, usualSockets } from '../host/engine.ts';
import { inspectHost, type Finding } from '../host/inspect.ts';
import { listProcesses, startProcesses, stopProcesses } from '../host/processes.ts';
import { ensureRedis } from '../host/redis.ts';
import { stopHost } from '../host/stop.ts';
import { createHostTools, type HostTools } from '../host/tools.ts';
import { connectEngine, createDockerRunner } from '../runner/docker/index.ts';
import { openKeyRing } from '../secret/key-ring.ts';
import { labelInstallation } from '../secret/key.ts';
import { openConnection, waitUntilReady } from '../store/redis/connection.ts';
import { readMemory, writeMemory, type HostMemory } from './host-memory.ts';
import type { CliIo } from './io.ts';
import { startLocalRun } from './local-run.ts';
import type { Foundation, LocalHost, LocalProcess, Say, StopReport } from './local-host.ts';
import { findProduct } from './product.ts';
import { createShowcase } from './showcase.ts';

const scripts = {
  api: 'src/main.js',
  'trigger-worker': 'workers/trigger-worker.js',
  'run-worker': 'workers/run-worker.js',
} as const;

const roles = ['api', 'trigger-worker', 'run-worker'] as const;

/** Tools that keep the time that package managers take, which is not ours. */
function createTimedTools(say: Say): { readonly tools: HostTools; readonly packageSeconds: () => number } {
  const tools = createHostTools(say);
  let ms = 0;
  const run: HostTools['commands']['run'] = async (program, args, options) => {
    const begin = performance.now();
    try {
      return await tools.commands.run(program, args, options);
    } finally {
      if (args.includes('apt-get')) ms += performance.now() - begin;
    }
  };
  return { tools: { ...tools, commands: { ...tools.commands, run } }, packageSeconds: () => ms / 1000 };
}

function engineWish(
  io: CliIo,
  config: Config,
): { host: string | undefined; usual: readonly string[]; dataDir: string } {
  const usual = usualSockets(homedir(), io.env['XDG_RUNTIME_DIR']);
  return { host: config.engineHost, usual, dataDir: config.dataDir };
}

async function prepare(io: CliIo, config: Config, say: Say): Promise<Foundation> {
  const { tools, packageSeconds } = createTimedTools(say);
  claimDataDirectory(config.dataDir);
  if (await prepareCertificate(config, systemClock)) say(`Made a certificate in ${config.trust.tlsDirectory} …`);
  const redis = await ensureRedis(tools, { url: config.redis.url, dataDir: config.dataDir, install: true });
  const engine = await ensureEngine(tools, { ...engineWish(io, config), install: true });
  return {
    // The processes read URLs; a socket is found as a path.
    redisUrl: redis.url.startsWith('/') ? `unix://${redis.url}` : redis.url,
    isRedisPrivate: redis.isPrivate,
    engineHost: engine.host,
    engineVersion: engine.facts.version,
    isEnginePrivate: engine.isPrivate,
    packageSeconds: packageSeconds(),
  };
}

/** In a Redis that others use too and that nobody pointed us to, each data directory keeps its keys apart. */
function choosePrefix({ dataDir, redis }: Config, { isRedisPrivate }: Foundation): string {
  if (isRedisPrivate || redis.url !== undefined) return redis.prefix;
  return `${redis.prefix}-${createHash('sha256').update(dataDir).digest('hex').slice(0, 8)}`;
}

async function startRoles(io: CliIo, config: Config, foundation: Foundation): Promise<readonly LocalProcess[]> {
  const dist = join(findProduct().root, 'dist');
  const missing = roles.map((role) => join(dist, scripts[role])).find((file) => !existsSync(file));
  if (missing !== undefined) throw fail('internal', `${missing} is missing`, { hint: 'Build Slipway: npm run build' });
  const redisPrefix = choosePrefix(config, foundation);
  const { redisUrl, engineHost, isRedisPrivate, isEnginePrivate } = foundation;
  const environment = {
    ...io.env,
    SLIPWAY_DATA: config.dataDir,
    REDIS_URL: redisUrl,
    SLIPWAY_REDIS_PREFIX: redisPrefix,
    DOCKER_HOST: engineHost,
    ...(config.tls?.isOwn === true && { SLIPWAY_TLS: 'auto' }),
  };
  const { url, registryHost } = config;
  const ring = await openKeyRing(config.key, join(config.dataDir, 'key'));
  writeMemory(config.dataDir, {
    url,
    registryHost,
    label: await labelInstallation(config.name, config.dataDir, ring.keys()),
    engineHost,
    isEnginePrivate,
    redisUrl,
    redisPrefix,
    isRedisPrivate,
    hasOwnTls: config.tls?.isOwn === true,
  });
  return startProcesses(
    config.dataDir,
    roles.map((role) => ({ role, script: join(dist, scripts[role]), environment })),
  );
}

async function purgeEngine({ engineHost, registryHost, label }: HostMemory): Promise<readonly string[]> {
  const engine = connectEngine({ host: engineHost });
  try {
    const runner = createDockerRunner({ engine, installation: label, registryHost, clock: systemClock });
    const swept = await runner.sweep({ liveRuns: new Set(), keepImages: 0, minImageAgeMs: 0 });
    return Object.entries(swept).flatMap(([what, count]: [string, number]) =>
      count > 0 ? [`${count} ${count === 1 ? what.replace(/s$/, '') : what}`] : [],
    );
  } finally {
    engine.close();
  }
}

async function purgeRedis({ redisUrl, redisPrefix }: HostMemory): Promise<readonly string[]> {
  const redis = openConnection(parseRedisUrl(redisUrl), 'slipway-purge', () => undefined);
  try {
    await waitUntilReady(redis, 3000);
    let count = 0;
    for await (const keys of redis.scanStream({ match: `${redisPrefix}:*`, count: 500 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) count += await redis.unlink(...keys);
    }
    return count > 0 ? [`${count} keys in Redis`] : [];
  } finally {
    redis.disconnect();
  }
}

/** Removes what was left on an engine and in a Redis that are not ours alone. What cannot be reached is said and passed over. */
async function purgeShared(memory: HostMemory | undefined, say: Say): Promise<readonly string[]> {
  if (memory === undefined) return [];
  const attempt = async (what: string, work: () => Promise<readonly string[]>): Promise<readonly string[]> => {
    try {
      return await work();
    } catch (error) {
      say(`What was made ${what} could not be removed: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  };
  const onEngine = memory.isEnginePrivate ? [] : await attempt('on the container engine', () => purgeEngine(memory));
  const inRedis = memory.isRedisPrivate ? [] : await attempt('in Redis', () => purgeRedis(memory));
  return [...onEngine, ...inRedis];
}

async function stopAll({ dataDir }: Config, purge: boolean, say: Say): Promise<StopReport> {
  if (!existsSync(dataDir)) return { stopped: [], removed: [] };
  const memory = readMemory(dataDir);
  const stopped: string[] = [...(await stopProcesses(dataDir))];
  const removed = purge ? [...(await purgeShared(memory, say))] : [];
  const host = await stopHost(createHostTools(say), { dataDir, purge });
  if (host.engine) stopped.push('the private container engine');
  if (host.redis) stopped.push('the private Redis');
  if (purge) removed.push(dataDir);
  return { stopped, removed };
}

/** Whether the engine that would be used builds with BuildKit; nothing when no engine answers, which is a finding of its own. */
async function inspectBuilder(hosts: readonly string[]): Promise<readonly Finding[]> {
  for (const host of hosts) {
    const engine = connectEngine({ host });
    const version = await engine.version().catch(() => undefined);
    engine.close();
    if (version?.hasBuildKit === true) return [{ name: 'BuildKit', status: 'ok', detail: `in the engine at ${host}` }];
    const hint = 'Builds work with the classic builder, without its parallel stages and its cache.';
    if (version !== undefined)
      return [{ name: 'BuildKit', status: 'warn', detail: `not in the engine at ${host}`, hint }];
  }
  return [];
}

async function inspect(io: CliIo, config: Config): Promise<readonly Finding[]> {
  const { host: engineHost, usual: usualEngines, dataDir } = engineWish(io, config);
  const nodeVersion = process.versions.node;
  const wish = { dataDir, engineHost, usualEngines, nodeVersion, redisUrl: config.redis.url };
  const known = readMemory(dataDir)?.engineHost;
  const hosts = engineHost === undefined ? [...(known === undefined ? [] : [known]), ...usualEngines] : [engineHost];
  const [findings, builder] = await Promise.all([
    inspectHost(
      createHostTools(() => undefined),
      wish,
    ),
    inspectBuilder(hosts),
  ]);
  return [...findings, ...builder];
}

/** Where a published port of the engine's machine is reached. */
function addressOf(engineHost: string): string {
  return engineHost.startsWith('unix:') ? '127.0.0.1' : new URL(engineHost.replace(/^tcp:/, 'http:')).hostname;
}

/** This machine, as the commands see it. Composition root: the one place of the CLI that knows all rooms. */
export function createLocalHost(io: CliIo): LocalHost {
  return {
    prepare: (config, say) => prepare(io, config, say),
    startProcesses: (config, foundation) => startRoles(io, config, foundation),
    listProcesses: ({ dataDir }) => listProcesses(dataDir),
    recall: ({ dataDir }) => readMemory(dataDir),
    stop: stopAll,
    inspect: (config) => inspect(io, config),
    openKeys: (config) => {
      const memory = readMemory(config.dataDir);
      const url = config.redis.url ?? memory?.redisUrl ?? 'redis://127.0.0.1:6379';
      const prefix = config.redis.url === undefined && memory ? memory.redisPrefix : config.redis.prefix;
      return openKeyDesk({ config, url, prefix });
    },
    checkRegistry: checkOffline,
    startRun: (config, wish) => startLocalRun(io, config, wish),
    openShowcase: ({ dataDir, name, registryHost, url }, { engineHost }) => {
      const engine = connectEngine({ host: engineHost });
      return createShowcase({
        engine,
        engineAddress: addressOf(engineHost),
        registryHost,
        url,
        labels: { 'slipway.installation': readMemory(dataDir)?.label ?? name },
        makeBase: () => createNodeBaseImage(createHostTools(() => undefined).commands, process.execPath),
        publicBase: 'node:20-alpine',
        close: () => engine.close(),
      });
    },
  };
}
