import type { Redis } from 'ioredis';
import type { Clock } from '../../domain/clock.ts';
import { maxSecrets, type SecretEntry, type SecretStore } from '../ports.ts';
import { tooManySecrets } from '../secret-limit.ts';
import { guard } from './connection.ts';
import type { Keys } from './keys.ts';
import { defineScript, runScript } from './script.ts';

/** Sets the value and what is shown of it together, or neither: KEYS shown, values; ARGV name, entry, sealed value, limit. */
const putScript = defineScript(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`);

/** Two hashes, so that a list reads no values. */
export function createRedisSecrets(redis: Redis, keys: Keys, clock: Clock): SecretStore {
  return {
    put: (name, sealed, who) =>
      guard(async () => {
        const entry: SecretEntry = { name, lastUpdatedTime: new Date(clock.now()).toISOString(), updatedBy: who };
        const args = [name, JSON.stringify(entry), sealed, maxSecrets];
        const isPut = await runScript(redis, putScript, [keys.secrets, keys.secretValues], args);
        if (isPut !== 1) throw tooManySecrets();
        return entry;
      }),
    get: (name) => guard(async () => (await redis.hget(keys.secretValues, name)) ?? undefined),
    list: () =>
      guard(async () => {
        const entries = (await redis.hvals(keys.secrets)).map((json) => JSON.parse(json) as SecretEntry);
        return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
      }),
    delete: (name) =>
      guard(async () => {
        const replies = await redis.multi().hdel(keys.secrets, name).hdel(keys.secretValues, name).exec();
        return replies?.[0]?.[1] === 1;
      }),
  };
}
