import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stopBackground } from './background.ts';
import { removeDataDirectory } from './data-directory.ts';
import { withHostLock } from './lock.ts';
import { privateEngineHost, removeEngineTraces, stopPrivateEngine } from './private-engine.ts';
import { privateRedisSocket, redisProcess } from './redis.ts';
import type { HostTools } from './tools.ts';

/** What to stop, and whether its data go too. */
export interface StopWish {
  readonly dataDir: string;
  /** Removes the data directory, and what the private engine left on the host: mounts, bridge, packet filter rules. */
  readonly purge?: boolean;
}

/** What was stopped. */
export interface StoppedHost {
  readonly redis: boolean;
  readonly engine: boolean;
}

/**
 * Stops the Redis and the engine that Slipway started under this data directory, and no others. Slipway's own processes
 * must have been stopped before ({@link stopProcesses}).
 */
export async function stopHost(tools: HostTools, { dataDir, purge = false }: StopWish): Promise<StoppedHost> {
  if (!existsSync(dataDir)) return { redis: false, engine: false };
  const stopped = await withHostLock(dataDir, async () => ({
    engine: await stopPrivateEngine(dataDir),
    redis: await stopBackground(dataDir, redisProcess),
  }));
  if (purge) await purgeHost(tools, dataDir);
  return stopped;
}

async function purgeHost(tools: HostTools, dataDir: string): Promise<void> {
  const engineRoot = join(dataDir, 'engine');
  if (tools.isRoot && existsSync(engineRoot)) {
    const sockets = dirname(privateEngineHost(dataDir).replace('unix://', ''));
    await unmountBelow(tools, [engineRoot, sockets]);
    await removeEngineTraces(tools, dataDir);
    rmSync(sockets, { recursive: true, force: true });
  }
  const redisSockets = dirname(privateRedisSocket(dataDir));
  removeDataDirectory(dataDir);
  rmSync(redisSockets, { recursive: true, force: true });
}

/** The mount points below some directories, deepest first, out of the text of `/proc/self/mounts`. */
export function listMountsBelow(mounts: string, directories: readonly string[]): readonly string[] {
  const unescape = (word: string): string =>
    word.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return mounts
    .split('\n')
    .map((line) => unescape(line.split(' ')[1] ?? ''))
    .filter((point) => directories.some((directory) => point === directory || point.startsWith(`${directory}/`)))
    .sort((a, b) => b.length - a.length);
}

async function unmountBelow({ commands }: HostTools, directories: readonly string[]): Promise<void> {
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  for (const point of listMountsBelow(mounts, directories)) await commands.run('umount', ['-l', point]);
}
