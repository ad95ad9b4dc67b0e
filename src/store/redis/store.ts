import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Clock } from '../../domain/clock.ts';
import { redisUnavailable } from '../../domain/redis-failure.ts';
import { parseRedisUrl } from '../../domain/redis-url.ts';
import { usualDeliveryLimits, type DeliveryLimits } from '../delivery-limits.ts';
import { usualOutputLimit, type OutputLimit } from '../output-limit.ts';
import type { Store } from '../ports.ts';
import { createRedisBaseImages } from './base-images.ts';
import { createRedisCampaigns } from './campaigns.ts';
import { checkServer } from './checks.ts';
import { guard, openConnection, waitUntilReady } from './connection.ts';
import { createRedisDeliveries } from './deliveries.ts';
import { createRedisEvents } from './events.ts';
import { createKeys } from './keys.ts';
import { createRedisNotifications } from './notifications.ts';
import { Records } from './records.ts';
import { createRedisRuns } from './runs.ts';
import { createRedisSecrets } from './secrets.ts';
import { createSubscriber } from './subscriber.ts';
import { createRedisTasks } from './tasks.ts';
import { createRedisLedger, createRedisWorkers } from './workers.ts';

export interface RedisStoreOptions {
  /** `redis://…`, `rediss://…` or `unix:///path/redis.sock`. */
  readonly url: string;
  /** What all keys and channels start with; `slipway` when left out. */
  readonly prefix?: string;
  readonly clock: Clock;
  /** Hears of lost connections and of a dangerous set-up. */
  readonly logger?: Pick<Logger, 'warn' | 'info'>;
  readonly outputLimit?: OutputLimit;
  readonly deliveryLimits?: DeliveryLimits;
  /** How long the first connection may take; 10 s when left out. */
  readonly startTimeoutMs?: number;
}

const pingTimeoutMs = 1000;

/** Logs an outage once, not each try to end it. */
function createOutageLog(logger: RedisStoreOptions['logger']) {
  let isAway = false;
  return {
    onError: (error: Error): void => {
      if (!isAway) logger?.warn({ err: error }, 'Redis cannot be reached');
      isAway = true;
    },
    onReady: (): void => {
      if (isAway) logger?.info('Redis is back');
      isAway = false;
    },
  };
}

function ping(redis: Redis): Promise<void> {
  return guard(async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(redisUnavailable());
      }, pingTimeoutMs);
    });
    await Promise.race([redis.ping(), late]).finally(() => {
      clearTimeout(timer);
    });
  });
}

/**
 * A store in Redis. While Redis is away every method rejects with `redis-unavailable`, at once when the connection is known to be lost
 * and within 2 s otherwise; it recovers by itself. Uses two connections: one for commands, one that listens.
 * @throws `invalid-request` for a wrong URL, `redis-unavailable` when Redis cannot be reached in time, `unsupported` when it is too old.
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { clock, logger, startTimeoutMs = 10_000 } = options;
  const address = parseRedisUrl(options.url);
  const keys = createKeys(options.prefix ?? 'slipway');
  const outages = createOutageLog(logger);
  const redis = openConnection(address, 'slipway-store', outages.onError);
  redis.on('ready', outages.onReady);
  const listening = openConnection(address, 'slipway-listen', outages.onError);
  let isOpen = true;
  const subscriber = createSubscriber(listening);
  const close = async (): Promise<void> => {
    isOpen = false;
    subscriber.close();
    redis.disconnect();
    listening.disconnect();
  };
  try {
    await Promise.all([waitUntilReady(redis, startTimeoutMs), waitUntilReady(listening, startTimeoutMs)]);
    for (const warning of await guard(() => checkServer(redis, address))) logger?.warn(warning);
  } catch (error) {
    await close();
    throw error;
  }
  const records = new Records(redis, keys, options.outputLimit ?? usualOutputLimit);
  const limits = options.deliveryLimits ?? usualDeliveryLimits;
  return {
    baseImages: createRedisBaseImages(redis, keys),
    campaigns: createRedisCampaigns(redis, keys),
    tasks: createRedisTasks(redis, keys),
    deliveries: createRedisDeliveries({ redis, keys, clock, limits }),
    runs: createRedisRuns({ redis, keys, records, subscriber, clock }),
    events: createRedisEvents({ redis, keys, subscriber, isOpen: () => isOpen }),
    workers: createRedisWorkers(redis, keys),
    once: createRedisLedger(redis, keys),
    notifications: createRedisNotifications(redis, keys),
    secrets: createRedisSecrets('secret', { redis, keys, clock }),
    registryCredentials: createRedisSecrets('registry-credential', { redis, keys, clock }),
    ping: () => ping(redis),
    close,
  };
}
