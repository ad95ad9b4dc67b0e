import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import { webhookKey } from '../../src/domain/webhook.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { createDeliverer } from '../../src/notify/notifications/deliver.ts';
import { createWebhookDesk } from '../../src/notify/webhooks/desk.ts';
import { createRegistryFanOut } from '../../src/notify/webhooks/fan-out.ts';
import { createBullNotifications } from '../../src/queue/bullmq/notifications.ts';
import { createBullRegistryEvents } from '../../src/queue/bullmq/registry-events.ts';
import { openKeyRing, type InstallationKey } from '../../src/secret/key-ring.ts';
import { createRedisStore } from '../../src/store/redis/store.ts';
import { say, startReceiver } from '../notify/notifications/rig.ts';
import { anEvent, origin } from '../notify/webhooks/rig.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.dispose());

interface Place {
  readonly url: string;
  readonly prefix: string;
}

/** The ends of the queues, the store and the desk, as the API has them; what is opened ends with the test. */
async function openApi(place: Place, key: InstallationKey, pauses?: readonly number[]) {
  const store = await createRedisStore({ ...place, clock: systemClock });
  const queue = await createBullNotifications({ ...place, ...(pauses && { pauses }) });
  const events = await createBullRegistryEvents({ ...place, attempts: 5, backoffMs: 20 });
  onTestFinished(async () => {
    await Promise.all([queue.close(), events.close()]);
    await store.close();
  });
  const { notifications } = store;
  const egress = createEgress({ allow: ['127.0.0.1'] });
  const means = { notifications, queue, egress, key, clock: systemClock, timeoutMs: 2000, origin };
  const desk = createWebhookDesk({ ...means, newId: randomUUID });
  const statuses = async (name = 'hook1') => (await desk.events(name, 100)).map(({ delivery }) => delivery.status);
  return { notifications, queue, events, desk, means, statuses };
}

const key = Buffer.alloc(32, 7);

/** Two processes that tell webhooks, with three tries of a delivery; `fail` makes the first fan-outs break off. */
async function setUp({ pauses = [20, 40], failures = 0 } = {}) {
  const place = { url: redis.url, prefix: `test-${randomUUID()}` };
  const api = await openApi(place, key, pauses);
  const errors: string[] = [];
  const note = (error: Error): void => void errors.push(error.message);
  let left = failures;
  const consumers: { close(): Promise<void> }[] = [];
  for (const process of [await openApi(place, key, pauses), await openApi(place, key, pauses)]) {
    const tell = createRegistryFanOut(process.means);
    consumers.push(await process.queue.consume(createDeliverer(process.means), note));
    consumers.push(
      await process.events.consume(async (event) => {
        await tell(event);
        if (left-- > 0) throw new Error('broken off');
      }, note),
    );
  }
  onTestFinished(async () => {
    await Promise.all(consumers.map((consumer) => consumer.close()));
  });
  return { ...api, errors };
}

describe('webhooks with two processes that tell', () => {
  it('are told of an event once, whoever publishes it how often, and though its handling breaks off', async () => {
    const { desk, events, statuses, errors } = await setUp({ failures: 2 });
    const { url, received } = await startReceiver(say(200));
    await desk.put('hook1', { serviceUri: url, actions: ['push'] }, 'ann');
    await Promise.all([events.publish(anEvent()), events.publish(anEvent())]);
    await expect.poll(() => errors.length, { timeout: 10_000 }).toBe(2);
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(['delivered']);
    await events.publish(anEvent());
    await events.publish(anEvent({ id: 'event-2', tag: 'v2' }));
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(['delivered', 'delivered']);
    expect(received.map(({ body }) => (JSON.parse(body) as { target: { tag: string } }).target.tag)).toEqual([
      'v1',
      'v2',
    ]);
  });

  it('get an event again until they take it, then as a dead one when people ask for it', async () => {
    const { desk, events, statuses } = await setUp();
    let status = 503;
    const { url, received } = await startReceiver((response) => {
      say(status)(response);
    });
    await desk.put('hook1', { serviceUri: url, actions: ['delete'], format: 'distribution' }, 'ann');
    await events.publish(anEvent({ kind: 'delete', tag: undefined }));
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(['dead']);
    expect(received).toHaveLength(3);
    status = 204;
    const [dead] = await desk.events('hook1', 1);
    await desk.redeliver('hook1', dead!.delivery.id);
    await expect.poll(statuses, { timeout: 10_000 }).toEqual(['delivered']);
    const types = new Set(received.map(({ headers }) => headers['content-type']));
    expect([...types]).toEqual(['application/vnd.docker.distribution.events.v2+json']);
  });

  it('do not wait for one another', async () => {
    const { desk, events, statuses } = await setUp({ pauses: [] });
    const hanging = await startReceiver(() => undefined);
    const { url, received } = await startReceiver(say(200));
    await desk.put('hanging', { serviceUri: hanging.url, actions: ['push'] }, 'ann');
    for (let n = 0; n < 50; n++) await desk.put(`hook${n}00`, { serviceUri: url, actions: ['push'] }, 'ann');
    const start = performance.now();
    await events.publish(anEvent());
    await expect.poll(() => received.length, { timeout: 10_000, interval: 10 }).toBe(50);
    const took = performance.now() - start;
    expect(took).toBeLessThan(1900);
    process.stderr.write(`50 webhooks told beside one that hangs: ${took.toFixed(0)} ms\n`);
    await expect.poll(() => statuses('hanging'), { timeout: 10_000 }).toEqual(['dead']);
  });
});

/** A real trigger worker. */
function startTriggerWorker(place: Place, dataDir: string): { child: ChildProcess; output: () => string } {
  const env = {
    PATH: process.env['PATH'],
    SLIPWAY_DATA: dataDir,
    REDIS_URL: place.url,
    SLIPWAY_REDIS_PREFIX: place.prefix,
    SLIPWAY_EGRESS_ALLOW: '127.0.0.1',
  };
  const child = spawn(process.execPath, ['--import', 'tsx', 'workers/trigger-worker.ts'], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, output: () => output };
}

describe('a trigger worker that is killed', () => {
  it('loses no event: what waits for another try and what comes meanwhile is delivered by the next one', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'slipway-webhooks-'));
    onTestFinished(() => rm(dataDir, { recursive: true }));
    const place = { url: redis.url, prefix: `test-${randomUUID()}` };
    const ring = await openKeyRing(undefined, join(dataDir, 'key'));
    const { desk, events, statuses, notifications } = await openApi(place, ring);
    const { url, received } = await startReceiver((response, count) => {
      say(count === 1 ? 500 : 200)(response);
    });
    await desk.put('hook1', { serviceUri: url, actions: ['push', 'untag'] }, 'ann');
    const first = startTriggerWorker(place, dataDir);
    await events.publish(anEvent());
    const triesOf = async () => (await notifications.listDeliveries(webhookKey('hook1'), 1))[0]?.tries.length;
    await expect.poll(triesOf, { timeout: 20_000 }).toBe(1);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    await events.publish(anEvent({ id: 'event-2', kind: 'untag' }));
    expect(await statuses()).toEqual(['pending']);
    const second = startTriggerWorker(place, dataDir);
    await expect.poll(statuses, { timeout: 25_000, message: second.output() }).toEqual(['delivered', 'delivered']);
    expect(received.map(({ body }) => (JSON.parse(body) as { action: string }).action).sort()).toEqual([
      'push',
      'push',
      'untag',
    ]);
    second.child.kill('SIGTERM');
    await once(second.child, 'exit');
  }, 60_000);
});
