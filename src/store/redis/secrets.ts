import type { Redis } from 'ioredis';
import type { Clock } from '../../domain/clock.ts';
import { maxSecrets, type SecretEntry, type SecretStore } from '../ports.ts';
import { tooMany, type KindOfSecret } from '../secret-limit.ts';
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
function hashesOf(kind: KindOfSecret, keys: Keys): { readonly shown: string; readonly values: string } {
  switch (kind) {
    case 'secret':
      return { shown: keys.secrets, values: keys.secretValues };
    case 'registry-credential':
      return { shown: keys.registryCredentials, values: keys.registryCredentialValues };
  }
}

export interface RedisSecretsOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly clock: Clock;
}

/** What is kept of a kind in Redis: {@link SecretStore} to the letter. */
export function createRedisSecrets(kind: KindOfSecret, { redis, keys, clock }: RedisSecretsOptions): SecretStore {
  const { shown, values } = hashesOf(kind, keys);
  return {
    put: (name, sealed, who) =>
      guard(async () => {
        const entry: SecretEntry = { name, lastUpdatedTime: new Date(clock.now()).toISOString(), updatedBy: who };
        const args = [name, JSON.stringify(entry), sealed, maxSecrets];
        const isPut = await runScript(redis, putScript, [shown, values], args);
        if (isPut !== 1) throw tooMany(kind);
        return entry;
      }),
    get: (name) => guard(async () => (await redis.hget(values, name)) ?? undefined),
    list: () =>
      guard(async () => {
        const entries = (await redis.hvals(shown)).map((json) => JSON.parse(json) as SecretEntry);
        return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
      }),
    delete: (name) =>
      guard(async () => {
        const replies = await redis.multi().hdel(shown, name).hdel(values, name).exec();
        return replies?.[0]?.[1] === 1;
      }),
  };
}
