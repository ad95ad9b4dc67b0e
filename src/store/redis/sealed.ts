import type { Redis } from 'ioredis';
import type { Notification } from '../../domain/notification.ts';
import type { Run, RunId } from '../../domain/run.ts';
import type { Task } from '../../domain/task.ts';
import { parseRedisUrl } from '../../domain/redis-url.ts';
import type { SealedText, SealedTexts } from '../../secret/rotation.ts';
import { runNumberOf } from '../run-number.ts';
import { guard, openConnection, waitUntilReady } from './connection.ts';
import { createKeys, type Keys } from './keys.ts';
import { recordsOf } from './notifications.ts';
import { defineScript, runScript } from './script.ts';

const pageSize = 500;

/**
 * Puts a text in the place of another within a field of a hash. KEYS: hash. ARGV: field, text, other text, field of the hash's version
 * or ''. Gives 1 when the text was there.
 */
const replaceInHash = defineScript(`
local found = redis.call('HGET', KEYS[1], ARGV[1])
local first, last
if found then first, last = string.find(found, ARGV[2], 1, true) end
if not first then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.sub(found, 1, first - 1) .. ARGV[3] .. string.sub(found, last + 1))
if ARGV[4] ~= '' then redis.call('HINCRBY', KEYS[1], ARGV[4], 1) end
return 1
`);

/** Puts a value in the place of another; its end stays. KEYS: the value's. ARGV: value, other value. Gives 1 when the value was there. */
const replaceValue = defineScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local left = redis.call('PTTL', KEYS[1])
if left > 0 then redis.call('SET', KEYS[1], ARGV[2], 'PX', left) else redis.call('SET', KEYS[1], ARGV[2]) end
return 1
`);

async function* readHash(redis: Redis, key: string): AsyncIterable<readonly [field: string, value: string]> {
  let cursor = '0';
  do {
    const [next, flat] = await guard(() => redis.hscan(key, cursor, 'COUNT', pageSize));
    for (let at = 0; at + 1 < flat.length; at += 2) yield [flat[at] ?? '', flat[at + 1] ?? ''];
    cursor = next;
  } while (cursor !== '0');
}

/** What each of these runs keeps sealed. */
async function readRuns(redis: Redis, keys: Keys, ids: readonly RunId[]): Promise<readonly SealedText[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hget(keys.run(id), 'record').get(keys.plan(id));
  const replies = (await pipeline.exec()) ?? [];
  return replies.flatMap(([error, reply], at): SealedText[] => {
    if (error) throw error;
    const name = ids[Math.floor(at / 2)] ?? '';
    if (typeof reply !== 'string') return [];
    if (at % 2 === 1) return [{ kind: 'plan', name, sealed: reply }];
    const { sealedSecrets: sealed } = JSON.parse(reply) as Run;
    return sealed === undefined ? [] : [{ kind: 'run', name, sealed }];
  });
}

/** All runs in the order of their numbers, which stays while old ones are forgotten. */
async function* listRuns(redis: Redis, keys: Keys): AsyncIterable<SealedText> {
  let last = 0;
  for (;;) {
    const ids = await guard(() => redis.zrangebyscore(keys.runs, `(${last}`, '+inf', 'LIMIT', 0, pageSize));
    yield* await guard(() => readRuns(redis, keys, ids as RunId[]));
    const end = runNumberOf(ids.at(-1) ?? '');
    if (end === undefined) return;
    last = end;
  }
}

async function* list(redis: Redis, keys: Keys): AsyncIterable<SealedText> {
  for await (const [, json] of readHash(redis, keys.taskRecords)) {
    const { name, sealedSecrets: sealed } = JSON.parse(json) as Task;
    if (sealed !== undefined) yield { kind: 'task', name, sealed };
  }
  for (const hash of [keys.notifications, keys.webhooks])
    for await (const [name, json] of readHash(redis, hash))
      yield { kind: 'notification', name, sealed: (JSON.parse(json) as Notification).sealed };
  for await (const [name, sealed] of readHash(redis, keys.secretValues)) yield { kind: 'secret', name, sealed };
  for await (const [name, sealed] of readHash(redis, keys.registryCredentialValues))
    yield { kind: 'registry-credential', name, sealed };
  yield* listRuns(redis, keys);
}

/** The hash and field that a text stands in, and the field of the version that goes up with it. */
function placeOf(keys: Keys, { kind, name }: SealedText): readonly [hash: string, field: string, version: string] {
  switch (kind) {
    case 'task':
      return [keys.taskRecords, name.toLowerCase(), ''];
    case 'notification':
      return [recordsOf(keys, name), name, ''];
    case 'secret':
      return [keys.secretValues, name, ''];
    case 'registry-credential':
      return [keys.registryCredentialValues, name, ''];
    case 'run':
      return [keys.run(name as RunId), 'record', 'version'];
    case 'plan':
      return [keys.plan(name as RunId), '', ''];
  }
}

async function replace(redis: Redis, keys: Keys, text: SealedText, sealed: string): Promise<boolean> {
  const [key, field, version] = placeOf(keys, text);
  const reply = await (text.kind === 'plan'
    ? runScript(redis, replaceValue, [key], [text.sealed, sealed])
    : runScript(redis, replaceInHash, [key], [field, text.sealed, sealed, version]));
  return reply === 1;
}

export interface RedisSealedTexts extends SealedTexts {
  close(): void;
}

/**
 * What a Redis store keeps sealed, on a connection of its own. Records of runs get another version with another text, so that whoever has
 * read them before looks again; those of tasks and notifications do not, for they say the same as before.
 * @throws `redis-unavailable` when Redis cannot be reached within 10 s, `invalid-request` for a wrong URL.
 */
export async function openRedisSealedTexts({
  url,
  prefix,
}: {
  readonly url: string;
  readonly prefix: string;
}): Promise<RedisSealedTexts> {
  const redis = openConnection(parseRedisUrl(url), 'slipway-seal', () => undefined);
  const keys = createKeys(prefix);
  const close = (): void => {
    redis.disconnect();
  };
  try {
    await waitUntilReady(redis, 10_000);
  } catch (error) {
    close();
    throw error;
  }
  return {
    list: () => list(redis, keys),
    replace: (text, sealed) => guard(() => replace(redis, keys, text, sealed)),
    close,
  };
}
