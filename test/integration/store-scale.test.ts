import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import type { TaskName } from '../../src/domain/task.ts';
import type { RunCondition, RunPage, Store } from '../../src/store/ports.ts';
import { createRedisStore } from '../../src/store/redis/store.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';
import { aTask, nightly } from '../rig/tasks.ts';
import { aDelivery } from '../store/delivery-store-contract.ts';
import { aNewRun, build, ended, image, TestClock } from '../store/fixtures.ts';

let redis: PrivateRedis;
let client: Redis;
beforeAll(async () => {
  redis = await startRedis();
  client = new Redis(redis.url.replace('unix://', ''));
});
afterAll(async () => {
  client.disconnect();
  await redis.dispose();
});

const task = 'build-app' as TaskName;
let prefix: string;
let clock: TestClock;
let one: Store;
let other: Store;
beforeEach(async () => {
  prefix = `test-${randomUUID()}`;
  clock = new TestClock();
  const open = () => createRedisStore({ url: redis.url, prefix, clock });
  [one, other] = await Promise.all([open(), open()]);
});
afterEach(() => Promise.all([one.close(), other.close()]));

const isoNow = () => new Date(clock.now()).toISOString();
const keysLeft = async () => (await client.keys(`${prefix}:*`)).map((key) => key.slice(prefix.length + 1)).sort();

async function addRuns(count: number): Promise<RunId[]> {
  const made = Array.from({ length: count }, () => one.runs.create(aNewRun({ task })));
  return (await Promise.all(made)).map(({ run }) => run.runId);
}

describe('two processes on one Redis', () => {
  it('take a delivery that reaches both at the same moment once', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `d${index}`);
    const received = await Promise.all(
      ids.flatMap((id) => [one, other, one].map((store) => store.deliveries.receive(aDelivery(id), 'p'))),
    );
    const isNew = received.filter((each) => each.isNew).map(({ delivery }) => delivery.id);
    expect(isNew.sort()).toEqual([...ids].sort());
    for (const id of ids) expect(await other.deliveries.get(id)).toMatchObject({ arrivals: 3 });
  });

  it('share the places of a task', async () => {
    const ids = await addRuns(20);
    const taken = await Promise.all(
      ids.map((id, index) => (index % 2 === 0 ? one : other).runs.takePlace(id, task, 5)),
    );
    expect(taken.filter(Boolean)).toHaveLength(5);
  });

  it('do not both remove a run, nor one that was archived meanwhile', async () => {
    const ids = await addRuns(150);
    await Promise.all(ids.map((id) => one.runs.requestCancel(id, 'ann')));
    clock.advance(1);
    const kept = ids[140]!;
    const [removed, removedToo] = await Promise.all([
      one.runs.removeOld(isoNow(), 1000),
      other.runs.removeOld(isoNow(), 1000),
      other.runs.setArchived(kept, true),
    ]);
    const all = [...removed, ...removedToo];
    expect(new Set(all).size).toBe(all.length);
    const isLeft = (await one.runs.get(kept)) !== undefined;
    expect(all.includes(kept)).toBe(!isLeft);
    await one.runs.removeOld(isoNow(), 1000);
    expect((await one.runs.list({ conditions: [], limit: 10 })).runs).toHaveLength(isLeft ? 1 : 0);
  });
});

describe('what is kept in Redis', () => {
  it('is as it was before when runs, tasks and places are gone', async () => {
    const { runs, tasks } = one;
    const [id = '' as RunId] = await addRuns(1);
    await runs.setArchived(id, true);
    await runs.begin(id, 'w1');
    await runs.takePlace(id, task, 1);
    await runs.keepPlan(id, 'sealed');
    await runs.append(id, 1, [{ kind: 'image-pushed', step: build, image }]);
    await runs.append(id, 1, [ended]);
    await runs.setArchived(id, false);
    await tasks.put(aTask({ trigger: { timerTriggers: [nightly], sourceTriggers: [] } }), 0, ['a', 'b']);
    clock.advance(1);
    expect((await keysLeft()).length).toBeGreaterThan(12);
    await runs.removeOld(isoNow(), 10);
    await tasks.delete('build-app');
    expect(await keysLeft()).toEqual(['next-run']);
  });

  it('is not more for deliveries than what is kept of them', async () => {
    const small = await createRedisStore({
      url: redis.url,
      prefix,
      clock,
      deliveryLimits: { count: 3, ageMs: 1000, payloadBytes: 2 },
    });
    for (let count = 0; count < 10; count++) {
      await small.deliveries.receive(aDelivery(`d${count}`, { hook: task }), 'ppp');
      await small.deliveries.finish(`d${count}`, { status: 'done', verdicts: [], notes: [] });
    }
    expect((await keysLeft()).filter((key) => key.startsWith('delivery:'))).toHaveLength(3);
    expect(await client.get(`${prefix}:delivery-bytes`)).toBe('0');
    clock.advance(1001);
    await small.deliveries.receive(aDelivery('last'), 'p');
    expect(await keysLeft()).toEqual(['deliveries', 'delivery-bytes', expect.stringMatching(/^delivery:/)]);
    await small.close();
  });

  it('frees the place of a run whose record is gone', async () => {
    const [lost = '' as RunId, id = '' as RunId] = await addRuns(2);
    await one.runs.takePlace(lost, task, 1);
    await client.del(`${prefix}:run:${lost}`);
    expect(await one.runs.takePlace(id, task, 1)).toBe(true);
  });

  it('without indexes, of an earlier version, does no harm', async () => {
    const [id = '' as RunId] = await addRuns(1);
    await client.hdel(`${prefix}:run:${id}`, 'created');
    await client.del(
      `${prefix}:index:status:queued`,
      `${prefix}:index:type:quickbuild`,
      `${prefix}:index:task:${task}`,
    );
    await addRuns(2);
    const since: RunCondition = { field: 'createTime', operator: 'ge', value: '2026-11-21' };
    expect((await one.runs.list({ conditions: [since], limit: 10 })).runs.length).toBeGreaterThanOrEqual(2);
    await one.runs.begin(id, 'w1');
    const isStarted: RunCondition = { field: 'status', operator: 'eq', value: 'Started' };
    expect((await one.runs.list({ conditions: [isStarted], limit: 10 })).runs).toMatchObject([{ runId: id }]);
    await one.runs.append(id, 1, [ended]);
    clock.advance(1);
    expect(await one.runs.removeOld(isoNow(), 10)).toEqual([id]);
  });
});

describe('a page of a list', () => {
  it('is short where finding more would take long, and the pages behind it have the rest', async () => {
    const [oldest = '' as RunId] = await addRuns(2500);
    await one.runs.begin(oldest, 'w1');
    await one.runs.append(oldest, 1, [{ kind: 'image-pushed', step: build, image }]);
    const conditions: RunCondition[] = [{ field: 'outputImageManifests', operator: 'contains', value: 'team/app:v1' }];
    const pages: RunPage[] = [];
    let after: string | undefined;
    do {
      const page = await one.runs.list({ conditions, limit: 5, ...(after !== undefined && { after }) });
      pages.push(page);
      after = page.next;
    } while (after !== undefined);
    expect(pages.length).toBeGreaterThan(2);
    expect(pages[0]?.runs).toEqual([]);
    expect(pages.flatMap(({ runs }) => runs.map(({ runId }) => runId))).toEqual([oldest]);
  });

  it('is as long as it was asked for where conditions do not hide most runs', async () => {
    await addRuns(1200);
    const all = await one.runs.list({ conditions: [], limit: 1150 });
    expect(all.runs).toHaveLength(1150);
    expect(all.next).toBe(all.runs.at(-1)?.runId);
    const conditions: RunCondition[] = [{ field: 'taskName', operator: 'eq', value: task }];
    expect((await one.runs.list({ conditions, limit: 1150 })).runs).toHaveLength(1150);
  });

  it('finds what few runs of many have in common without reading the others', async () => {
    const ids = await addRuns(3000);
    await Promise.all(ids.slice(0, 2).map((id) => one.runs.requestCancel(id, 'ann')));
    const conditions: RunCondition[] = [
      { field: 'taskName', operator: 'eq', value: task },
      { field: 'status', operator: 'eq', value: 'Canceled' },
      { field: 'runType', operator: 'ne', value: 'AutoRun' },
    ];
    const { runs, next } = await one.runs.list({ conditions, limit: 10 });
    expect(runs.map(({ runId }) => runId)).toEqual([ids[1], ids[0]]);
    expect(next).toBeUndefined();
  });
});
