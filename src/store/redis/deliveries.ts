import type { Redis } from 'ioredis';
import type { Clock } from '../../domain/clock.ts';
import { gather } from '../../domain/gather.ts';
import type { DeliveryLimits } from '../delivery-limits.ts';
import type { Delivery, DeliveryStore } from '../ports.ts';
import { taskKeyOf } from '../task-changes.ts';
import { guard } from './connection.ts';
import { finishScript, receiveScript } from './delivery-scripts.ts';
import { hash, type Keys } from './keys.ts';
import { runScript } from './script.ts';

export interface RedisDeliveriesOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly limits: DeliveryLimits;
}

/** Arrivals of the same moment are one script, which nothing else in Redis may wait for too long. */
const mostAtOnce = 32;

interface Arrival {
  readonly delivery: Omit<Delivery, 'arrivals'>;
  readonly payload: string;
}

type Received = Awaited<ReturnType<DeliveryStore['receive']>>;
type KnownReply = [record: string, result: string, arrivals: string];

/** Microseconds since the epoch: arrivals are ordered by their time, with room for those of the same millisecond. */
function microseconds(ms: number): string {
  return (ms * 1000).toFixed(0);
}

/** A delivery is kept as it arrived, with what it came to and its count beside it, so that each is written without the others. */
function assemble(record: string, result: string | null, arrivals: string | null): Delivery {
  const outcome = (result ?? '') === '' ? {} : (JSON.parse(result ?? '') as Partial<Delivery>);
  return { ...(JSON.parse(record) as Delivery), ...outcome, arrivals: Number(arrivals) };
}

/** The deliveries of these hashes, those that do not exist left out, in one round trip. */
async function readDeliveries({ redis, keys }: RedisDeliveriesOptions, hashes: readonly string[]) {
  const pipeline = redis.pipeline();
  for (const one of hashes) pipeline.hmget(keys.delivery(one), 'record', 'result', 'arrivals');
  return ((await pipeline.exec()) ?? []).flatMap(([error, value]) => {
    if (error) throw error;
    const [record, result, arrivals] = value as [string | null, string | null, string | null];
    return record === null ? [] : [assemble(record, result, arrivals)];
  });
}

/** True unless it is too old or there is none. */
async function isKept({ redis, keys }: RedisDeliveriesOptions, member: string, oldest: string): Promise<boolean> {
  return Number((await redis.zscore(keys.deliveries, member)) ?? 0) > Number(oldest);
}

async function list(
  options: RedisDeliveriesOptions,
  query: Parameters<DeliveryStore['list']>[0],
  oldest: string,
): ReturnType<DeliveryStore['list']> {
  const { redis, keys } = options;
  const { limit, after, hook } = query;
  const name = hook === undefined ? keys.deliveries : keys.hookDeliveries(hook);
  const isNumber = after !== undefined && /^\d{1,16}$/.test(after);
  const before = isNumber ? `(${after}` : '+inf';
  const found = await redis.zrevrangebyscore(name, before, `(${oldest}`, 'WITHSCORES', 'LIMIT', 0, limit + 1);
  const hashes = found.filter((_, index) => index % 2 === 0);
  const deliveries = await readDeliveries(options, hashes.slice(0, limit));
  const next = hashes.length > limit ? found[2 * limit - 1] : undefined;
  return { deliveries, ...(next !== undefined && { next }) };
}

/** The deliveries of a Redis store: {@link DeliveryStore} to the letter. */
export function createRedisDeliveries(options: RedisDeliveriesOptions): DeliveryStore {
  const { redis, keys, clock, limits } = options;
  const sets = [keys.deliveries, keys.deliveryPayloads, keys.deliveryBytes];
  const oldest = (): string => microseconds(clock.now() - limits.ageMs);

  const receiveAll = async (arrivals: readonly Arrival[]): Promise<readonly Received[]> => {
    const each = arrivals.flatMap(({ delivery, payload }) => {
      return [hash(delivery.id), JSON.stringify(delivery), payload, taskKeyOf(delivery.hook ?? '')];
    });
    const args = [keys.prefix, microseconds(clock.now()), oldest(), limits.count, ...each];
    const replies = (await runScript(redis, receiveScript, sets, args)) as readonly (1 | KnownReply)[];
    return replies.map((reply, at) => {
      if (reply !== 1) return { delivery: assemble(...reply), isNew: false };
      return { delivery: { ...(arrivals[at] as Arrival).delivery, arrivals: 1 }, isNew: true };
    });
  };
  const receive = gather(receiveAll, mostAtOnce);
  const whenKept = <T>(id: string, read: (member: string) => Promise<T>): Promise<T | undefined> =>
    guard(async () => ((await isKept(options, hash(id), oldest())) ? read(hash(id)) : undefined));

  return {
    receive: (delivery, payload) => guard(() => receive({ delivery, payload })),
    get: (id) => whenKept(id, async (member) => (await readDeliveries(options, [member]))[0]),
    payload: async (id) => (await whenKept(id, (member) => redis.hget(keys.delivery(member), 'payload'))) ?? undefined,
    async finish(id, { status, verdicts, notes }) {
      const result = JSON.stringify({ status, verdicts, notes });
      const args = [keys.prefix, hash(id), result, status === 'received' ? '0' : '1', limits.payloadBytes];
      await guard(() => runScript(redis, finishScript, sets, args));
    },
    list: (query) => guard(() => list(options, query, oldest())),
  };
}
