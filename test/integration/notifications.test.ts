import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { announceBeforeArchive } from '../../src/notify/announce.ts';
import { createNotificationDesk } from '../../src/notify/notifications/desk.ts';
import { startNotifications } from '../../src/notify/notifications/start.ts';
import { createBullNotifications } from '../../src/queue/bullmq/notifications.ts';
import { createBullRunNotices } from '../../src/queue/bullmq/run-notices.ts';
import { createRedisStore } from '../../src/store/redis/store.ts';
import { cancelRun } from '../../src/trigger/cancel.ts';
import { say, startReceiver } from '../notify/notifications/rig.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';
import { aNewRun } from '../store/fixtures.ts';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.dispose());

const key = Buffer.alloc(32, 7);

/** A process that tells notifications of runs, on the given Redis, with three tries. */
async function startProcess(place: { url: string; prefix: string }, { timeoutMs = 2000, pauses = [20, 40] } = {}) {
  const store = await createRedisStore({ ...place, clock: systemClock });
  const notices = await createBullRunNotices({ ...place, attempts: 5, backoffMs: 20 });
  const queue = await createBullNotifications({ ...place, pauses });
  const egress = createEgress({ allow: ['127.0.0.1'] });
  const source = 'http://slipway.test/api/v1';
  const base = { queue, egress, key, clock: systemClock, source, timeoutMs, notifications: store.notifications };
  const desk = createNotificationDesk({ ...base, newId: randomUUID });
  const errors: string[] = [];
  const start = () =>
    startNotifications({
      ...base,
      notices,
      runs: store.runs,
      describeRun: ({ runId, status }) => ({ runId, status }),
      onError: (error) => errors.push(error.message),
    });
  const close = async (): Promise<void> => {
    await Promise.all([queue.close(), notices.close()]);
    await store.close();
  };
  return { store, notices, queue, desk, errors, start, close };
}

async function setUp(options: Parameters<typeof startProcess>[1] = {}) {
  const place = { url: redis.url, prefix: `test-${randomUUID()}` };
  const one = await startProcess(place, options);
  const other = await startProcess(place, options);
  const consumers = [await one.start(), await other.start()];
  onTestFinished(async () => {
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await Promise.all([one.close(), other.close()]);
  });
  const archive = announceBeforeArchive({ save: async () => undefined }, one.store.runs, one.notices);
  const failRun = async () => {
    const { run } = await one.store.runs.create(aNewRun());
    await one.store.runs.end(run.runId, 'Error', 'no');
    return run.runId;
  };
  const statuses = async () => (await one.store.notifications.listDeliveries('chat', 100)).map(({ status }) => status);
  return { ...one, archive, failRun, statuses };
}

describe('notifications with two processes that tell', () => {
  it('reach a receiver that fails twice once in the end, whoever announces the end and however often', async () => {
    const { desk, archive, failRun, statuses, store } = await setUp();
    const { url, received } = await startReceiver((response, count) => {
      say(count < 3 ? 500 : 200)(response);
    });
    await desk.put('chat', { url, events: ['run.error'] }, 'ann');
    const id = await failRun();
    await Promise.all([archive.save(id), archive.save(id), archive.save(id)]);
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(['delivered']);
    await archive.save(id);
    expect(received).toHaveLength(3);
    const [delivery] = await store.notifications.listDeliveries('chat', 1);
    expect(delivery?.tries.map(({ status }) => status)).toEqual([500, 500, 200]);
    expect(JSON.parse(received[2]!.body)).toMatchObject({ type: 'dev.slipway.run.error', data: { runId: id } });
  });

  it('become dead letters that are delivered when they are asked for again', async () => {
    const { desk, archive, failRun, statuses, store } = await setUp();
    let status = 503;
    const { url, received } = await startReceiver((response) => {
      say(status)(response);
    });
    await desk.put('chat', { url, events: ['run.error'] }, 'ann');
    await archive.save(await failRun());
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(['dead']);
    expect(received).toHaveLength(3);
    status = 204;
    const [dead] = await store.notifications.listDeliveries('chat', 1);
    await desk.replay('chat', dead!.id);
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(['delivered']);
    expect(received).toHaveLength(4);
  });

  it('hear at once of a queued run that is canceled, and once, though the sweep tells of it too', async () => {
    const { desk, archive, store, notices, statuses } = await setUp();
    const { url, received } = await startReceiver(say(200));
    await desk.put('chat', { url, events: ['run.canceled'] }, 'ann');
    const { run } = await store.runs.create(aNewRun());
    const queue = { remove: async () => true };
    await cancelRun({ runs: store.runs, queue, notices, onWarning: expect.fail }, run.runId, 'ada');
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(['delivered']);
    await archive.save(run.runId);
    await cancelRun({ runs: store.runs, queue, notices, onWarning: expect.fail }, run.runId, 'ada');
    expect(await statuses()).toEqual(['delivered']);
    expect(received.map(({ body }) => JSON.parse(body) as object)).toMatchObject([
      { type: 'dev.slipway.run.canceled', data: { runId: run.runId, status: 'Canceled' } },
    ]);
  });

  it('that hang hold up nothing of another receiver', async () => {
    const { desk, archive, failRun, store } = await setUp({ timeoutMs: 3000, pauses: [] });
    const hanging = await startReceiver(() => undefined);
    const { url, received } = await startReceiver(say(200));
    await desk.put('chat', { url: hanging.url, events: ['run.error'] }, 'ann');
    await desk.put('other', { url, events: ['run.error'] }, 'ann');
    const start = performance.now();
    for (let n = 0; n < 5; n++) await archive.save(await failRun());
    await expect.poll(() => received.length, { timeout: 2500 }).toBe(5);
    const took = performance.now() - start;
    expect(took).toBeLessThan(2500);
    process.stderr.write(`five runs told beside a receiver that hangs: ${took.toFixed(0)} ms\n`);
    await expect
      .poll(async () => (await store.notifications.listDeliveries('chat', 9)).map(({ status }) => status), {
        timeout: 15_000,
      })
      .toEqual(Array.from({ length: 5 }, () => 'dead'));
  });

  it('wait as long as the receiver asks for', async () => {
    const { desk, archive, failRun, statuses } = await setUp({ pauses: [1] });
    const times: number[] = [];
    const { url } = await startReceiver((response, count) => {
      times.push(performance.now());
      if (count === 1) say(429, { 'retry-after': '1' })(response);
      else say(200)(response);
    });
    await desk.put('chat', { url, events: ['run.error'] }, 'ann');
    await archive.save(await failRun());
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(['delivered']);
    expect(times[1]! - times[0]!).toBeGreaterThan(950);
  });
});

describe('an outage of Redis', () => {
  it('loses no delivery', async () => {
    const own = await startRedis();
    const place = { url: own.url, prefix: 'test' };
    const process = await startProcess(place, { pauses: [50, 50, 50, 50, 50, 50] });
    const archive = announceBeforeArchive({ save: async () => undefined }, process.store.runs, process.notices);
    const { url, received } = await startReceiver(say(200));
    await process.desk.put('chat', { url, events: ['run.error'] }, 'ann');
    const { run } = await process.store.runs.create(aNewRun());
    await process.store.runs.end(run.runId, 'Error', 'no');
    await own.stop();
    await expect(archive.save(run.runId)).rejects.toMatchObject({ failure: { reason: 'redis-unavailable' } });
    await own.start();
    await expect.poll(() => archive.save(run.runId).then(() => 'told', String), { timeout: 10_000 }).toBe('told');
    await own.stop();
    await own.start();
    const consumer = await process.start();
    await expect.poll(() => received.length, { timeout: 15_000 }).toBe(1);
    await consumer.close();
    await process.close();
    await own.dispose();
  });
});
