import { fail, FailureError } from './failure.ts';

/** Replies by which Redis says that it cannot serve at all just now, with what to do about each. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [/^(?:NOAUTH|WRONGPASS)|invalid password/, 'Redis does not accept the user and password of REDIS_URL'],
  [/^NOPERM/, 'the Redis user of REDIS_URL may not use the keys or commands that Slipway needs'],
  [/^(?:OOM|MISCONF)/, 'Redis cannot write: give it memory (maxmemory) and disk space'],
  [/^READONLY/, 'REDIS_URL names a read-only replica'],
  [/^(?:LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)/, 'Redis is busy; Slipway goes on when it answers'],
  [/max number of clients/, 'Redis has as many clients as it may have (maxclients)'],
];

const usualHint = 'start Redis, or set REDIS_URL to one that runs; Slipway goes on by itself when it is back';

/** What Redis clients say when a command did not reach the server, or its answer did not come. */
const lostConnection =
  /Connection is closed|Command timed out|enableOfflineQueue|connection close|Socket closed|max retries per request/i;

function hintFor(error: Error): string | undefined {
  if (error.name === 'ReplyError') return refusals.find(([pattern]) => pattern.test(error.message))?.[1];
  const code: unknown = 'code' in error ? error.code : undefined;
  const isSystemError = typeof code === 'string' && /^E[A-Z]+$/.test(code);
  return isSystemError || lostConnection.test(error.message) ? usualHint : undefined;
}

/** The error that stands for "Redis cannot be reached". */
export function redisUnavailable(hint = usualHint, cause?: unknown): FailureError {
  return fail('redis-unavailable', 'Redis does not answer', { hint, retryAfterSeconds: 1, cause });
}

/**
 * Turns what a Redis client threw into `redis-unavailable` when it means that Redis cannot be reached or cannot serve.
 * Anything else (a bug of ours) comes back as it is.
 */
export function asRedisFailure(error: unknown): unknown {
  if (error instanceof FailureError || !(error instanceof Error)) return error;
  const hint = hintFor(error);
  return hint === undefined ? error : redisUnavailable(hint, error);
}
