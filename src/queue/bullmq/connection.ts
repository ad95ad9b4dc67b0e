import { Redis } from 'ioredis';
import { FailureError } from '../../domain/failure.ts';
import { asRedisFailure, redisUnavailable } from '../../domain/redis-failure.ts';
import { parseRedisUrl } from '../../domain/redis-url.ts';

/** Where a queue is kept. */
export interface BullOptions {
  /** `redis://…`, `rediss://…` or `unix:///path/redis.sock`. */
  readonly url: string;
  /** What all keys start with; the store may have the same. */
  readonly prefix: string;
  /** How long the first connection may take; 10 s when left out. */
  readonly startTimeoutMs?: number;
}

/** A producer must know at once that Redis is away; a consumer waits for its return. */
export type Patience = 'fail-fast' | 'wait';

const patience = {
  'fail-fast': {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 1500,
  },
  wait: { maxRetriesPerRequest: null },
} as const;

/** BullMQ puts its own separator between this and the names of its keys. */
export function keyPrefix(prefix: string): string {
  return `${prefix}:queue`;
}

/**
 * A connection of our own, since the library leaves one open that it was given, and asks nothing of it but a client.
 * @throws `redis-unavailable` when Redis cannot be reached in time.
 */
export async function connect(
  options: BullOptions,
  kind: Patience,
  onError: (error: Error) => void = () => undefined,
): Promise<Redis> {
  const redis = new Redis({
    ...parseRedisUrl(options.url),
    ...patience[kind],
    connectTimeout: 2000,
    retryStrategy: (times) => Math.min(25 * 2 ** Math.min(times, 6), 1000),
  });
  redis.on('error', onError);
  const deadline = Date.now() + (options.startTimeoutMs ?? 10_000);
  while (redis.status !== 'ready') {
    if (Date.now() > deadline) {
      redis.disconnect();
      throw redisUnavailable();
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return redis;
}

/** Runs `work`, at once refused while the connection is down, and turns every way in which Redis can be away into `redis-unavailable`. */
export async function guard<T>(redis: Redis, work: () => Promise<T>): Promise<T> {
  if (redis.status !== 'ready') throw redisUnavailable();
  try {
    return await work();
  } catch (error) {
    throw asRedisFailure(error);
  }
}

/** Hands errors on, but of an outage, which shows up at each try to end it, only the first. */
export function reportOutageOnce(redis: Redis, onError: (error: Error) => void): (error: Error) => void {
  let isAway = false;
  redis.on('ready', () => {
    isAway = false;
  });
  return (error) => {
    const known = asRedisFailure(error);
    const isOutage = known instanceof FailureError;
    if (!isOutage || !isAway) onError(isOutage ? known : error);
    isAway ||= isOutage;
  };
}
