import type { Redis } from 'ioredis';
import { fail } from '../../domain/failure.ts';
import { isLocalRedis, type RedisAddress } from '../../domain/redis-url.ts';

const oldestMajor = 5;

function valueOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\s*$`, 'm').exec(info)?.[1];
}

/**
 * Looks at what Redis is and how it is set up, once at the start.
 * @returns sentences about what is dangerous there.
 * @throws `unsupported` when Redis is too old for streams.
 */
export async function checkServer(redis: Redis, address: RedisAddress): Promise<readonly string[]> {
  const info = await redis.info();
  const version = valueOf(info, 'redis_version') ?? 'unknown';
  if (Number.parseInt(version, 10) < oldestMajor) {
    throw fail('unsupported', `Redis ${version} is too old`, { hint: `use Redis ${oldestMajor} or newer` });
  }
  const policy = valueOf(info, 'maxmemory_policy') ?? 'noeviction';
  const warnings: string[] = [];
  if (policy !== 'noeviction') {
    warnings.push(
      `Redis may forget runs when its memory is full: set maxmemory-policy to noeviction (it is ${policy})`,
    );
  }
  if (address.password === undefined && !isLocalRedis(address)) {
    warnings.push(
      'Redis lets anybody in who can reach it, who then is master of all runs: give it a password or an ACL user',
    );
  }
  return warnings;
}
