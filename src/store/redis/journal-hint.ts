import type { JournalHint } from '../../blob/hinted-journal.ts';
import { parseRedisUrl } from '../../domain/redis-url.ts';
import { guard, openConnection } from './connection.ts';
import { hash } from './keys.ts';
import { defineScript, runScript } from './script.ts';

/** KEYS: number; ARGV: a number. Keeps the higher one. */
const announceScript = defineScript(`
local before = tonumber(redis.call('GET', KEYS[1]))
if not before or before < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1`);

/** KEYS: number; ARGV: a number. Forgets it when it is still that. */
const forgetScript = defineScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`);

export interface RedisHintOptions {
  readonly url: string;
  /** What the key starts with. */
  readonly prefix: string;
  /** Which journal: any text. */
  readonly journal: string;
}

/** The end of a journal in Redis: `<prefix>:journal:<hash>` holds the highest number that was announced. Its failures are not logged: the store logs them. */
export interface RedisHint extends JournalHint {
  close(): Promise<void>;
}

/** Connects in the background; while Redis is away nothing is known. */
export function createRedisHint({ url, prefix, journal }: RedisHintOptions): RedisHint {
  const key = `${prefix}:journal:${hash(journal).slice(0, 32)}`;
  let isTrusted = false;
  const redis = openConnection(parseRedisUrl(url), 'slipway-journal', () => undefined);
  // A server that comes back may have forgotten what was announced last.
  redis.on('close', () => {
    isTrusted = false;
  });
  return {
    announce: async (sequence) => {
      await guard(() => runScript(redis, announceScript, [key], [sequence]));
    },
    newest: async () => {
      const wasTrusted = isTrusted;
      const text = await guard(() => redis.get(key));
      isTrusted = redis.status === 'ready';
      return text === null || !wasTrusted ? undefined : Number(text);
    },
    forget: async (sequence) => {
      await runScript(redis, forgetScript, [key], [sequence]).catch(() => undefined);
    },
    close: async () => {
      redis.disconnect();
      await Promise.resolve();
    },
  };
}
