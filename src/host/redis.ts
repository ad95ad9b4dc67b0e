import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../domain/failure.ts';
import { awaitReady, findBackground, readLogTail, startBackground } from './background.ts';
import { withHostLock } from './lock.ts';
import { ensureProgram } from './packages.ts';
import { hideSecrets, normalizeRedisUrl, probeRedis } from './redis-probe.ts';
import { socketDirectory } from './sockets.ts';
import type { HostTools } from './tools.ts';

/** Where to look for Redis, and what may be done when there is none. */
export interface RedisWish {
  /** `REDIS_URL`: this one and no other. */
  readonly url?: string | undefined;
  readonly dataDir: string;
  /** Whether missing Debian packages may be installed. */
  readonly install: boolean;
  /** The usual addresses, tried in order; tests hand in their own. */
  readonly usual?: readonly string[];
}

/** A Redis that answers. `url` goes to ioredis as it is: a URL or the path of a socket. */
export interface FoundRedis {
  readonly url: string;
  /** True when it is a private one that this call started. */
  readonly started: boolean;
  readonly isPrivate: boolean;
}

/** The name of the private Redis among the background processes. */
export const redisProcess = 'redis';

/** Where a Redis of the host usually listens. */
export const usualAddresses = ['/run/redis/redis-server.sock', '/run/redis/redis.sock', 'redis://127.0.0.1:6379'];

/** The path of the private Redis's socket. */
export function privateRedisSocket(dataDir: string): string {
  return join(socketDirectory(dataDir, 'redis'), 'redis.sock');
}

/**
 * Finds a Redis or starts one: `REDIS_URL`; the private one of this data directory, once there is one (its data are
 * there); the usual sockets and port; a new private one.
 * @throws `redis-unavailable` that says what to do.
 */
export async function ensureRedis(tools: HostTools, wish: RedisWish): Promise<FoundRedis> {
  if (wish.url !== undefined) return useGiven(normalizeRedisUrl(wish.url));
  if (!existsSync(join(wish.dataDir, 'redis', 'redis.conf'))) {
    const usual = await findUsual(tools, wish.usual ?? usualAddresses);
    if (usual !== undefined) return { url: usual, started: false, isPrivate: false };
  }
  return withHostLock(wish.dataDir, () => ensurePrivateRedis(tools, wish));
}

async function useGiven(url: string): Promise<FoundRedis> {
  const answer = await probeRedis(url, 5000);
  if (answer.ok) return { url, started: false, isPrivate: false };
  const hint = 'Start that Redis, or unset REDIS_URL and Slipway finds or starts one itself.';
  throw fail('redis-unavailable', `Redis does not answer at ${hideSecrets(url)} (REDIS_URL): ${answer.why}`, { hint });
}

async function findUsual({ say }: HostTools, addresses: readonly string[]): Promise<string | undefined> {
  for (const url of addresses) {
    if (url.startsWith('/') && !existsSync(url)) continue;
    const answer = await probeRedis(url);
    if (!answer.ok) continue;
    const { policy, isPrimary } = answer.facts;
    // Queues lose jobs in a Redis that evicts keys, and a replica takes no writes.
    if (isPrimary && policy === 'noeviction') return url;
    say(`Leaving the Redis at ${url} alone: ${isPrimary ? `it evicts keys (${policy})` : 'it is a replica'}.`);
  }
  return undefined;
}

/** The private Redis of the data directory, started when it does not run. */
async function ensurePrivateRedis(tools: HostTools, { dataDir, install }: RedisWish): Promise<FoundRedis> {
  const url = privateRedisSocket(dataDir);
  const isRunning = findBackground(dataDir, redisProcess) !== undefined;
  if (isRunning && (await probeRedis(url)).ok) return { url, started: false, isPrivate: true };
  const program = await ensureProgram(
    tools,
    {
      program: 'redis-server',
      packages: ['redis-server'],
      otherwise: 'set REDIS_URL to a Redis that runs',
      reason: 'redis-unavailable',
    },
    install,
  );
  if (!isRunning) {
    tools.say(`Starting a private Redis under ${dataDir} …`);
    await startBackground(dataDir, { name: redisProcess, program, args: [writeConfiguration(dataDir, url)] });
  }
  const answer = await awaitReady(dataDir, redisProcess, async () => {
    const found = await probeRedis(url);
    return found.ok ? found : undefined;
  });
  if (answer !== undefined) return { url, started: !isRunning, isPrivate: true };
  const log = join(dataDir, 'run', `${redisProcess}.log`);
  const hint = `Its log is ${log}.`;
  throw fail('redis-unavailable', `the private Redis did not come up: ${readLogTail(log, 3)}`, { hint });
}

/** Writes the private Redis's configuration: a socket only, every write kept, nothing evicted. */
function writeConfiguration(dataDir: string, socket: string): string {
  const directory = join(dataDir, 'redis');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'redis.conf');
  const quote = (text: string): string => JSON.stringify(text);
  const lines = [
    'port 0',
    `unixsocket ${quote(socket)}`,
    'unixsocketperm 700',
    `dir ${quote(directory)}`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'daemonize no',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return file;
}
