import { Redis, type RedisOptions } from 'ioredis';
import { asRedisFailure, redisUnavailable } from '../../domain/redis-failure.ts';
import type { RedisAddress } from '../../domain/redis-url.ts';

/** A command fails rather than waits: nothing is queued while Redis is away, and no answer is waited for longer than this. */
const commandTimeoutMs = 1500;

const options = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  commandTimeout: commandTimeoutMs,
  connectTimeout: 2000,
  retryStrategy: (times: number) => Math.min(25 * 2 ** Math.min(times, 6), 1000),
} satisfies RedisOptions;

/** Makes a connection that is kept up for ever; `onError` hears of each failure to do so. */
export function openConnection(address: RedisAddress, name: string, onError: (error: Error) => void): Redis {
  const redis = new Redis({ ...options, ...address, connectionName: name });
  redis.on('error', onError);
  return redis;
}

/** Resolves when the connection can be used; rejects `redis-unavailable` when it cannot after `timeoutMs`. */
export function waitUntilReady(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve, reject) => {
    let lastError: unknown;
    const onError = (error: Error): void => {
      lastError = error;
    };
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      redis.off('error', onError);
      end();
    };
    const onReady = (): void => {
      settle(resolve);
    };
    const timer = setTimeout(() => {
      settle(() => {
        const failure = asRedisFailure(lastError);
        reject(failure instanceof Error ? failure : redisUnavailable());
      });
    }, timeoutMs);
    redis.on('ready', onReady);
    redis.on('error', onError);
  });
}

/** Runs `work`, and turns every way in which Redis can be away into `redis-unavailable`. */
export async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asRedisFailure(error);
  }
}
