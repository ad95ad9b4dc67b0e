import type { Redis } from 'ioredis';
import type { Notification, OutgoingDelivery } from '../../domain/notification.ts';
import { isWebhookKey } from '../../domain/webhook.ts';
import { mostLike, notificationConflict, tooManyNotifications } from '../notification-changes.ts';
import { maxOutgoing, type NotificationStore } from '../ports.ts';
import { guard } from './connection.ts';
import type { Keys } from './keys.ts';
import { defineScript, runScript } from './script.ts';

/** KEYS records; ARGV name, record, expected version, limit. Answers 1: written, 0: another version, -1: too many. */
const putScript = defineScript(`
local found = redis.call('HGET', KEYS[1], ARGV[1])
local version = 0
if found then version = cjson.decode(found).version end
if version ~= tonumber(ARGV[3]) then return 0 end
if not found and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`);

/** KEYS records, deliveries, bodies, order, count; ARGV name, id, delivery, body, limit. */
const addScript = defineScript(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 or redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
redis.call('ZADD', KEYS[4], redis.call('INCR', KEYS[5]), ARGV[2])
local surplus = redis.call('ZCARD', KEYS[4]) - tonumber(ARGV[5])
if surplus > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[4], 0, surplus - 1)) do
    redis.call('HDEL', KEYS[2], id)
    redis.call('HDEL', KEYS[3], id)
    redis.call('ZREM', KEYS[4], id)
  end
end
return 1
`);

/** KEYS deliveries; ARGV id, delivery. */
const updateScript = defineScript(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`);

/** The hash that the record of this name stands in. */
export function recordsOf(keys: Keys, name: string): string {
  return isWebhookKey(name) ? keys.webhooks : keys.notifications;
}

function deliveryKeys(keys: Keys, name: string): readonly string[] {
  return [keys.outgoing(name), keys.outgoingBodies(name), keys.outgoingOrder(name), keys.outgoingCount(name)];
}

async function listDeliveries(
  redis: Redis,
  keys: Keys,
  { name, limit }: { readonly name: string; readonly limit: number },
): Promise<readonly OutgoingDelivery[]> {
  const ids = await redis.zrevrange(keys.outgoingOrder(name), 0, limit - 1);
  if (ids.length === 0) return [];
  const records = await redis.hmget(keys.outgoing(name), ...ids);
  return records.flatMap((json) => (json === null ? [] : [JSON.parse(json) as OutgoingDelivery]));
}

async function put(redis: Redis, keys: Keys, notification: Notification): Promise<Notification> {
  const { name, version } = notification;
  const args = [name, JSON.stringify(notification), version - 1, mostLike(name)];
  const reply = await runScript(redis, putScript, [recordsOf(keys, name)], args);
  if (reply === 0) throw notificationConflict(name);
  if (reply !== 1) throw tooManyNotifications(name);
  return notification;
}

/** The notifications of a Redis store: {@link NotificationStore} to the letter. */
export function createRedisNotifications(redis: Redis, keys: Keys): NotificationStore {
  return {
    get: (name) =>
      guard(async () => {
        const json = await redis.hget(recordsOf(keys, name), name);
        return json === null ? undefined : (JSON.parse(json) as Notification);
      }),
    list: (kind = 'notifications') =>
      guard(async () => {
        const all = (await redis.hvals(keys[kind])).map((json) => JSON.parse(json) as Notification);
        return all.sort((a, b) => (a.name < b.name ? -1 : 1));
      }),
    put: (notification, expected) => guard(() => put(redis, keys, { ...notification, version: expected + 1 })),
    delete: (name) =>
      guard(async () => {
        const replies = await redis
          .multi()
          .hdel(recordsOf(keys, name), name)
          .del(...deliveryKeys(keys, name))
          .exec();
        return replies?.[0]?.[1] === 1;
      }),
    addDelivery: (delivery, body) =>
      guard(async () => {
        const { id, notification: name } = delivery;
        const args = [name, id, JSON.stringify(delivery), body, maxOutgoing];
        return (await runScript(redis, addScript, [recordsOf(keys, name), ...deliveryKeys(keys, name)], args)) === 1;
      }),
    updateDelivery: (delivery) =>
      guard(async () => {
        const args = [delivery.id, JSON.stringify(delivery)];
        return (await runScript(redis, updateScript, [keys.outgoing(delivery.notification)], args)) === 1;
      }),
    getDelivery: (name, id) =>
      guard(async () => {
        const [json, body] = await Promise.all([
          redis.hget(keys.outgoing(name), id),
          redis.hget(keys.outgoingBodies(name), id),
        ]);
        return json === null || body === null ? undefined : { delivery: JSON.parse(json) as OutgoingDelivery, body };
      }),
    listDeliveries: (name, limit) => guard(() => listDeliveries(redis, keys, { name, limit })),
  };
}
