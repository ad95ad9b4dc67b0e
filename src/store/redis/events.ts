import type { Redis } from 'ioredis';
import type { SequencedEvent } from '../../domain/event.ts';
import type { RunId } from '../../domain/run.ts';
import { followEvents } from '../follow.ts';
import type { EventLog } from '../ports.ts';
import { guard } from './connection.ts';
import type { Keys } from './keys.ts';
import type { Subscriber } from './subscriber.ts';

type Entry = [id: string, fields: string[]];

function parseEntry([id, fields]: Entry): SequencedEvent {
  return { ...(JSON.parse(fields[1] ?? '') as SequencedEvent), seq: parseInt(id, 10) };
}

type Head = [phase: string | null, first: string | null];

/**
 * The phase of a run and then its next events, read in one round trip and in this order. The event that a run begins with is in its hash
 * until another one is added; when there is a stream, whatever was read before, that has it.
 */
async function readWithPhase(redis: Redis, keys: Keys, at: { id: RunId; after: number; limit: number }) {
  const replies = await redis
    .pipeline()
    .hmget(keys.run(at.id), 'phase', 'first')
    .xrange(keys.events(at.id), `${at.after + 1}-0`, '+', 'COUNT', at.limit)
    .exec();
  const [head, entries] = (replies ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  const [phase, first] = head as Head;
  const events = (entries as Entry[]).map(parseEntry);
  const isFirstAlone = first !== null && events.length === 0 && at.after < 1 && at.limit > 0;
  return { phase, events: isFirstAlone ? [parseEntry(['1-0', ['e', first]])] : events };
}

/**
 * The events of a Redis store's runs: {@link EventLog} to the letter. Following costs no connection of its own: whoever appends
 * publishes that there is something new, and the follower reads on from where it is.
 */
export function createRedisEvents(options: {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly subscriber: Subscriber;
  readonly isOpen: () => boolean;
}): EventLog {
  const { redis, keys, subscriber } = options;
  return {
    read: (id, after, limit) => guard(async () => (await readWithPhase(redis, keys, { id, after, limit })).events),
    follow: (id, after, signal) =>
      followEvents(
        {
          async read(from, limit) {
            if (!options.isOpen()) return { events: [], isOver: true };
            const { phase, events } = await guard(() => readWithPhase(redis, keys, { id, after: from, limit }));
            return { events, isOver: phase === null || phase === 'final' };
          },
          listen: (wake) => subscriber.subscribe(keys.wake(id), wake),
        },
        after,
        signal,
      ),
    expire: (id, keepSeconds) =>
      guard(async () => {
        await redis.expire(keys.events(id), Math.max(0, Math.ceil(keepSeconds)));
        await redis.zrem(keys.unarchived, id);
      }),
  };
}
