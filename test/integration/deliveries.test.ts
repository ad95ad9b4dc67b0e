import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBullDeliveries } from '../../src/queue/bullmq/deliveries.ts';
import { deliverThroughFaults, startDeliveryRig, type DeliveryRig } from '../rig/delivery-rig.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';

describe('deliveries to two API processes', () => {
  let rig: DeliveryRig;
  beforeAll(async () => {
    rig = await startDeliveryRig();
  }, 120_000);
  afterAll(() => rig.stop());

  it('sent three times each start every run once, though a trigger worker dies and Redis is restarted on the way', async () => {
    const count = 200;
    const { commits, runIds, started, statuses } = await deliverThroughFaults(rig, count, 3);
    expect(statuses).toHaveLength(count);
    expect(commits).toHaveLength(count);
    expect(new Set(commits).size).toBe(count);
    expect([...started].sort()).toEqual([...runIds].sort());
  }, 150_000);
});

describe('the queue of deliveries', () => {
  let redis: PrivateRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.dispose());
  const place = () => ({ url: redis.url, prefix: `test-${randomUUID()}`, attempts: 3, backoffMs: 10 });

  it('hands a delivery out again until it is worked off, and knows it no longer then', async () => {
    const queue = await createBullDeliveries(place());
    const tries: string[] = [];
    const consumer = await queue.consume({
      handle: async (id) => {
        tries.push(id);
        if (tries.length === 2) throw new Error('not this time');
      },
      giveUp: async () => expect.fail('it is worked off'),
      onError: () => undefined,
    });
    await queue.enqueue('one');
    await expect.poll(() => tries).toEqual(['one']);
    await expect
      .poll(async () => {
        await queue.enqueue('one');
        return tries.length;
      })
      .toBeGreaterThanOrEqual(3);
    await consumer.close();
    await queue.close();
  });

  it('gives up what never succeeds, once, and takes it again afterwards', async () => {
    const queue = await createBullDeliveries(place());
    const [tries, ends] = [[] as string[], [] as string[]];
    const consumer = await queue.consume({
      handle: async (id) => {
        tries.push(id);
        throw new Error('poison');
      },
      giveUp: async (id, error) => void ends.push(`${id}: ${error.message}`),
      onError: () => undefined,
    });
    await queue.enqueue('bad');
    await expect.poll(() => ends).toEqual(['bad: poison']);
    expect(tries).toHaveLength(3);
    await queue.enqueue('bad');
    await expect.poll(() => ends.length).toBe(2);
    await consumer.close();
    await queue.close();
  });

  it('hands out what was queued at the same moment once each', async () => {
    const queue = await createBullDeliveries(place());
    const ids = Array.from({ length: 100 }, (_, at) => `d${at}`);
    await Promise.all([...ids, ...ids.slice(0, 50)].map((id) => queue.enqueue(id)));
    const handled: string[] = [];
    const consumer = await queue.consume({
      handle: async (id) => void handled.push(id),
      giveUp: async () => expect.fail('it is worked off'),
      onError: (error) => expect.fail(error.message),
    });
    await expect.poll(() => handled.length).toBe(100);
    await consumer.close();
    expect(handled.sort()).toEqual(ids.sort());
    await queue.close();
  });

  it('refuses within two seconds while Redis stands still, and queues again afterwards', async () => {
    const queue = await createBullDeliveries(place());
    await queue.enqueue('zero');
    const thaw = redis.freeze();
    const began = performance.now();
    const calls = await Promise.allSettled(['one', 'two', 'three'].map((id) => queue.enqueue(id)));
    expect(performance.now() - began).toBeLessThan(2000);
    thaw();
    expect(calls).toMatchObject(
      calls.map(() => ({ status: 'rejected', reason: { failure: { reason: 'redis-unavailable' } } })),
    );
    await expect
      .poll(() =>
        queue.enqueue('one').then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await queue.close();
  });

  it('refuses at once while Redis is away', async () => {
    const queue = await createBullDeliveries(place());
    await redis.stop();
    await expect(queue.enqueue('one')).rejects.toMatchObject({ failure: { reason: 'redis-unavailable' } });
    await redis.start();
    await queue.close();
  });
});
