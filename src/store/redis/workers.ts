import type { Redis } from 'ioredis';
import { beatLifeMs, type OnceLedger, type WorkerBeat, type WorkerDirectory } from '../ports.ts';
import { guard } from './connection.ts';
import type { Keys } from './keys.ts';

/** Who lives: a key for each worker that Redis lets expire by its own clock, and the set of their names. */
export function createRedisWorkers(redis: Redis, keys: Keys): WorkerDirectory {
  return {
    beat: (beat) =>
      guard(async () => {
        await redis.set(keys.worker(beat.name), JSON.stringify(beat), 'PX', beatLifeMs);
        await redis.sadd(keys.workers, beat.name);
      }),
    leave: (name) =>
      guard(async () => {
        await redis.del(keys.worker(name));
        await redis.srem(keys.workers, name);
      }),
    list: () =>
      guard(async () => {
        const names = (await redis.smembers(keys.workers)).sort();
        if (names.length === 0) return [];
        const beats = await redis.mget(...names.map((name) => keys.worker(name)));
        const gone = names.filter((_, index) => typeof beats[index] !== 'string');
        if (gone.length > 0) await redis.srem(keys.workers, ...gone);
        return beats.flatMap((json) => (typeof json !== 'string' ? [] : [JSON.parse(json) as WorkerBeat]));
      }),
  };
}

/** Claims as keys that exist or not. */
export function createRedisLedger(redis: Redis, keys: Keys): OnceLedger {
  return {
    claim: (key, ttlSeconds) =>
      guard(async () => {
        const reply = await redis.set(keys.once(key), '1', 'PX', Math.max(1, Math.ceil(ttlSeconds * 1000)), 'NX');
        return reply === 'OK';
      }),
    release: (key) =>
      guard(async () => {
        await redis.del(keys.once(key));
      }),
  };
}
