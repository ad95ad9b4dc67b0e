import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import type { RunEvent } from '../../src/domain/event.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { TaskName } from '../../src/domain/task.ts';
import type { Store } from '../../src/store/ports.ts';
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis/store.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';
import { aTask } from '../rig/tasks.ts';
import { aDelivery } from '../store/delivery-store-contract.ts';
import { aNewRun, line, take, texts } from '../store/fixtures.ts';
import { describeRunStore } from '../store/run-store-contract.ts';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.dispose());

const never = new AbortController().signal;
const away = { failure: { reason: 'redis-unavailable' } };
const ended: RunEvent = { kind: 'run-ended', status: 'Succeeded' };

function open(options: Partial<RedisStoreOptions> = {}): Promise<Store> {
  return createRedisStore({ url: redis.url, prefix: `test-${randomUUID()}`, clock: systemClock, ...options });
}

async function startRun(store: Store): Promise<RunId> {
  const { run } = await store.runs.create(aNewRun());
  await store.runs.begin(run.runId, 'w1');
  return run.runId;
}

/** Waits until the store answers again. */
function untilBack(store: Store) {
  return expect.poll(() => store.ping().then(() => 'back', String), { timeout: 10_000 }).toBe('back');
}

async function timed(work: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work.catch(() => undefined);
  return performance.now() - start;
}

describeRunStore('the Redis store', open);

describe('two processes on one Redis', () => {
  let one: Store;
  let other: Store;
  beforeEach(async () => {
    const prefix = `test-${randomUUID()}`;
    [one, other] = await Promise.all([open({ prefix }), open({ prefix })]);
  });
  afterEach(() => Promise.all([one.close(), other.close()]));

  it('see each other’s runs, events and cancels', async () => {
    const id = await startRun(one);
    const following = take(other.events.follow(id, 0, never));
    const heard: RunId[] = [];
    await one.runs.onCancel((canceled) => heard.push(canceled));
    await other.runs.requestCancel(id, 'admin');
    await expect.poll(() => heard).toEqual([id]);
    await one.runs.append(id, 1, [line('x'), ended]);
    expect(texts(await following)).toEqual(['run-queued', 'run-started', 'x', 'run-ended']);
  });

  it('refuse each other’s stale attempts although each remembers records', async () => {
    const id = await startRun(one);
    await one.runs.append(id, 1, [{ kind: 'run-planned', steps: [] }]);
    await other.runs.begin(id, 'w2');
    const stale = one.runs.append(id, 1, [{ kind: 'run-planned', steps: [] }]);
    await expect(stale).rejects.toMatchObject({ failure: { reason: 'conflict' } });
    await one.runs.requestCancel(id, 'admin');
    await other.runs.append(id, 2, [{ kind: 'run-planned', steps: [] }]);
    expect(await one.runs.get(id)).toMatchObject({ attempt: 2, status: 'Running', cancelRequested: { by: 'admin' } });
  });

  it('take a run up at once under different attempts', async () => {
    const { run } = await one.runs.create(aNewRun());
    const begun = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? one : other).runs.begin(run.runId, `w${index}`)),
    );
    expect(begun.map((each) => each?.attempt).sort((a, b) => Number(a) - Number(b))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });
});

describe('what is kept in Redis', () => {
  it('stays below the prefix, and lets worker beats and claims expire', async () => {
    const prefix = `test-${randomUUID()}`;
    const store = await open({ prefix });
    const client = new Redis(redis.url.replace('unix://', ''));
    const before = new Set(await client.keys('*'));
    await store.runs.create(aNewRun({ idempotencyKey: 'k' }));
    await store.once.claim('k', 60);
    const engine = { ok: true, version: '28' } as const;
    await store.workers.beat({ name: 'w', pool: 'p', concurrency: 1, running: [], engine, startTime: '' });
    const made = (await client.keys('*')).filter((key) => !before.has(key));
    expect(made.length).toBeGreaterThan(5);
    expect(made.filter((key) => !key.startsWith(`${prefix}:`))).toEqual([]);
    expect(await client.pttl(`${prefix}:worker:w`)).toBeGreaterThan(14_000);
    for (const key of made.filter((one) => /:(?:key|once):/.test(one)))
      expect(await client.ttl(key)).toBeGreaterThan(50);
    client.disconnect();
    await store.close();
  });

  it('needs a server whose memory is not evicted, and says so', async () => {
    const client = new Redis(redis.url.replace('unix://', ''));
    const warnings: unknown[] = [];
    const logger = { warn: (message: unknown) => void warnings.push(message), info: () => undefined };
    await (await open({ logger })).close();
    expect(warnings).toEqual([]);
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await (await open({ logger })).close();
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    expect(warnings).toEqual([expect.stringContaining('noeviction')]);
    client.disconnect();
  });
});

describe('the start', () => {
  it('fails when there is no Redis', async () => {
    const lost = createRedisStore({ url: 'unix:///nonexistent/redis.sock', clock: systemClock, startTimeoutMs: 300 });
    await expect(lost).rejects.toMatchObject(away);
  });

  it('refuses a URL that is none', async () => {
    const wrong = createRedisStore({ url: 'http://localhost', clock: systemClock });
    await expect(wrong).rejects.toMatchObject({ failure: { reason: 'invalid-request' } });
  });
});

describe('an outage', () => {
  let own: PrivateRedis;
  let store: Store;
  beforeEach(async () => {
    own = await startRedis();
    store = await open({ url: own.url });
  });
  afterEach(async () => {
    await store.close();
    await own.dispose();
  });

  it('makes every call fail at once, and is over by itself when Redis is back', async () => {
    const id = await startRun(store);
    await own.stop();
    const calls: (() => Promise<unknown>)[] = [
      () => store.ping(),
      () => store.runs.create(aNewRun({ idempotencyKey: 'k' })),
      () => store.runs.createMany([aNewRun(), aNewRun()]),
      () => store.runs.get(id),
      () => store.runs.list({ conditions: [], limit: 5 }),
      () => store.runs.begin(id, 'w2'),
      () => store.runs.append(id, 1, [line('x')]),
      () => store.runs.release(id, 1),
      () => store.runs.requestCancel(id, 'admin'),
      () => store.runs.end(id, 'Error', 'x'),
      () => store.runs.setArchived(id, true),
      () => store.runs.listActive(),
      () => store.runs.listUnarchived(),
      () => store.runs.onCancel(() => undefined),
      () => store.events.read(id, 0, 5),
      () => store.events.expire(id, 5),
      () => take(store.events.follow(id, 0, never)),
      () => store.workers.list(),
      () => store.workers.leave('w'),
      () => store.once.claim('k', 5),
      () => store.once.release('k'),
      () => store.runs.takePlace(id, 'build-app' as TaskName, 1),
      () => store.runs.removeOld('2026-11-21', 5),
      () => store.tasks.get('build-app'),
      () => store.tasks.list({ limit: 5 }),
      () => store.tasks.findByRepository('k'),
      () => store.tasks.listWithTimers(),
      () => store.tasks.put(aTask(), 0, []),
      () => store.tasks.delete('build-app'),
      () => store.deliveries.receive(aDelivery('d1'), 'p'),
      () => store.deliveries.get('d1'),
      () => store.deliveries.payload('d1'),
      () => store.deliveries.finish('d1', { status: 'done', verdicts: [], notes: [] }),
      () => store.deliveries.list({ limit: 5 }),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject(away);
      expect(await timed(call())).toBeLessThan(100);
    }
    await own.start();
    await untilBack(store);
    expect(await store.runs.get(id)).toMatchObject({ status: 'Started' });
    await store.runs.append(id, 1, [line('after')]);
  });

  it('with a Redis that stands still makes calls fail within two seconds', async () => {
    const id = await startRun(store);
    const thaw = own.freeze();
    try {
      expect(await timed(store.ping())).toBeLessThan(1200);
      const calls = [store.runs.get(id), store.runs.create(aNewRun()), store.runs.append(id, 1, [line('x')])];
      expect(await timed(Promise.all(calls))).toBeLessThan(2000);
      for (const call of calls) await expect(call).rejects.toMatchObject(away);
    } finally {
      thaw();
    }
    await untilBack(store);
  });

  it('does not lose or repeat events for whoever follows, nor cancels for whoever listens', async () => {
    const id = await startRun(store);
    const other = await startRun(store);
    const heard: RunId[] = [];
    await store.runs.onCancel((one) => heard.push(one));
    const following = take(store.events.follow(id, 0, never));
    const begun = store.events.follow(id, 0, never)[Symbol.asyncIterator]();
    await begun.next();
    await own.stop();
    await own.start();
    const second = await open({ url: own.url, prefix: 'unused' });
    await second.close();
    await untilBack(store);
    await store.runs.append(id, 1, [line('back'), ended]);
    expect(texts(await following)).toEqual(['run-queued', 'run-started', 'back', 'run-ended']);
    await begun.return?.();
    await store.runs.requestCancel(other, 'admin');
    await expect.poll(() => heard).toContain(other);
  });

  it('in which an answer is lost writes a repeated batch once', async () => {
    const id = await startRun(store);
    const batches: RunEvent[][] = [[line('a'), line('b')], [{ kind: 'run-planned', steps: [] }, line('c')], [ended]];
    for (const batch of batches) {
      const thaw = own.freeze();
      await expect(store.runs.append(id, 1, batch)).rejects.toMatchObject(away);
      thaw();
      await untilBack(store);
      await store.runs.append(id, 1, batch);
    }
    const events = await store.events.read(id, 2, 100);
    expect(texts(events)).toEqual(['a', 'b', 'run-planned', 'c', 'run-ended']);
  });
});

describe('speed', () => {
  it('carries a line to a follower within milliseconds, and thousands of lines in a second', async () => {
    const store = await open();
    const id = await startRun(store);
    const arrivals = new Map<number, number>();
    const following = (async () => {
      for await (const event of store.events.follow(id, 2, never)) arrivals.set(event.seq, performance.now());
    })();
    const delays: number[] = [];
    for (let count = 0; count < 100; count++) {
      const sent = performance.now();
      await store.runs.append(id, 1, [line(`line ${count}`)]);
      await expect.poll(() => arrivals.has(3 + count), { interval: 1 }).toBe(true);
      delays.push((arrivals.get(3 + count) ?? Infinity) - sent);
    }
    const batch = Array.from({ length: 1000 }, (_, index) => line(`a line of usual length, number ${index}`));
    const start = performance.now();
    for (let count = 0; count < 20; count++) await store.runs.append(id, 1, [...batch]);
    const perSecond = 20_000 / ((performance.now() - start) / 1000);
    await store.runs.append(id, 1, [ended]);
    await following;
    const median = delays.sort((a, b) => a - b)[50] ?? Infinity;
    expect(median).toBeLessThan(25);
    expect(perSecond).toBeGreaterThan(4000);
    process.stderr.write(`append → follower ${median.toFixed(2)} ms, ${Math.round(perSecond)} lines/s\n`);
    await store.close();
  });
});
