import { createHmac, randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RegistryEvent } from '../../../src/domain/event.ts';
import type { WebhookWish } from '../../../src/domain/webhook.ts';
import { createEgress } from '../../../src/egress/egress.ts';
import { createDeliverer } from '../../../src/notify/notifications/deliver.ts';
import { createNotificationDesk } from '../../../src/notify/notifications/desk.ts';
import { createFanOut } from '../../../src/notify/notifications/fan-out.ts';
import { createWebhookDesk } from '../../../src/notify/webhooks/desk.ts';
import { createRegistryFanOut } from '../../../src/notify/webhooks/fan-out.ts';
import { createMemoryNotificationQueue } from '../../../src/queue/memory/notifications.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import { aNewRun, TestClock } from '../../store/fixtures.ts';
import { say, startReceiver } from '../notifications/rig.ts';
import { anEvent, digest, origin } from './rig.ts';

const key = Buffer.alloc(32, 7);
const wish: WebhookWish = { serviceUri: 'http://127.0.0.1:9/hook', actions: ['push'] };

/** Everything that webhooks stand on, in memory, with three tries a few milliseconds apart. */
async function setUp({ pauses = [2, 2] } = {}) {
  const clock = new TestClock();
  const store = createMemoryStore({ clock });
  const queue = createMemoryNotificationQueue(pauses);
  const egress = createEgress({ allow: ['127.0.0.1'] });
  const { notifications } = store;
  const base = { notifications, queue, egress, key, clock, timeoutMs: 2000 };
  const desk = createWebhookDesk({ ...base, origin, newId: randomUUID });
  const errors: string[] = [];
  const consumer = await queue.consume(createDeliverer(base), (error) => errors.push(error.message));
  onTestFinished(async () => {
    await queue.close();
    await consumer.close();
  });
  const tell: (event: RegistryEvent) => Promise<void> = createRegistryFanOut({ ...base, origin });
  const last = async (name = 'hook1') => (await desk.events(name, 1))[0]?.delivery;
  const statusOf = (name?: string) => expect.poll(async () => (await last(name))?.status, { timeout: 5000 });
  return { ...base, store, desk, tell, last, statusOf, errors };
}

describe('a webhook', () => {
  it('is told of what is in its scope, signed, with its own headers', async () => {
    const { desk, tell, statusOf, clock } = await setUp();
    const { url, received } = await startReceiver(say(200));
    const customHeaders = { Authorization: 'Bearer abc', 'Content-Type': 'application/vnd.mine+json' };
    await desk.put('hook1', { ...wish, serviceUri: url, scope: 'hello-world:*', customHeaders }, 'ann');
    await tell(anEvent());
    await statusOf().toBe('delivered');
    await tell(anEvent({ id: 'event-2', repository: 'other' }));
    expect(received).toHaveLength(1);
    const { headers, body } = received[0]!;
    expect(headers).toMatchObject({ authorization: 'Bearer abc', 'content-type': 'application/vnd.mine+json' });
    expect(JSON.parse(body)).toMatchObject({ action: 'push', target: { digest, tag: 'v1' } });
    const { secret } = await desk.config('hook1');
    const [id, timestamp] = [headers['webhook-id'], headers['webhook-timestamp']];
    expect(timestamp).toBe(String(Math.floor(clock.now() / 1000)));
    const mac = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'));
    const signature = mac.update(`${String(id)}.${String(timestamp)}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    expect((JSON.parse(body) as { id: string }).id).toBe(id);
  });

  it('is told of an event once, however often the event comes', async () => {
    const { desk, tell, statusOf } = await setUp();
    const { url, received } = await startReceiver(say(200));
    await desk.put('hook1', { ...wish, serviceUri: url }, 'ann');
    await Promise.all([tell(anEvent()), tell(anEvent())]);
    await statusOf().toBe('delivered');
    await tell(anEvent());
    expect(received).toHaveLength(1);
  });

  it('is told again after a failure, and its event shows what was answered last', async () => {
    const { desk, tell, statusOf, last } = await setUp();
    const { url } = await startReceiver((response, count) => {
      response.writeHead(count === 3 ? 200 : 503, { 'x-n': String(count), 'set-cookie': 'a=b' });
      response.end(`${count}${'x'.repeat(5000)}`);
    });
    await desk.put('hook1', { ...wish, serviceUri: url }, 'ann');
    await tell(anEvent());
    await statusOf().toBe('delivered');
    const { tries } = (await last())!;
    expect(tries.map(({ status, answer }) => [status, answer?.content.slice(0, 2)])).toEqual([
      [503, undefined],
      [503, undefined],
      [200, '3x'],
    ]);
    expect(tries[2]?.answer?.headers).toMatchObject({ 'x-n': '3' });
    expect(tries[2]?.answer?.headers).not.toHaveProperty('set-cookie');
    expect(tries[2]?.answer?.content).toHaveLength(2048);
  });

  it('that is never there has a dead event, which is delivered when it is asked for again', async () => {
    const { desk, tell, statusOf, last } = await setUp();
    let status = 500;
    const { url, received } = await startReceiver((response) => {
      say(status)(response);
    });
    await desk.put('hook1', { ...wish, serviceUri: url }, 'ann');
    await tell(anEvent());
    await statusOf().toBe('dead');
    status = 204;
    await desk.redeliver('Hook1', (await last())!.id);
    await statusOf().toBe('delivered');
    expect(received).toHaveLength(4);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    await expect(desk.redeliver('hook1', 'nope')).rejects.toMatchObject({ failure: { reason: 'not-found' } });
  });

  it('that answers 410 is disabled, and told again when people enable it', async () => {
    const { desk, tell, statusOf } = await setUp();
    const { url, received } = await startReceiver((response, count) => {
      say(count === 1 ? 410 : 200)(response);
    });
    await desk.put('hook1', { ...wish, serviceUri: url }, 'ann');
    await tell(anEvent());
    await expect.poll(async () => (await desk.get('hook1')).status, { timeout: 5000 }).toBe('Disabled');
    expect((await desk.get('hook1')).disabledBecause).toContain('410');
    await tell(anEvent({ id: 'event-2' }));
    expect(received).toHaveLength(1);
    expect(await desk.change('hook1', { isEnabled: true }, 'bob')).not.toHaveProperty('disabledBecause');
    await tell(anEvent({ id: 'event-3' }));
    await statusOf().toBe('delivered');
  });

  it('hears nothing of runs, and a notification of the same name nothing of the registry', async () => {
    const { desk, tell, store, queue, ...base } = await setUp();
    const { url, received } = await startReceiver(say(200));
    await desk.put('hook1', { ...wish, serviceUri: url }, 'ann');
    const notes = createNotificationDesk({ ...base, queue, source: 'http://s.test', newId: randomUUID });
    await notes.put('hook1', { url: `${url}/runs`, events: ['run.failed', 'run.queued'] }, 'ann');
    const { run } = await store.runs.create(aNewRun());
    const means = { ...base, queue, runs: store.runs, source: 'http://s.test', describeRun: () => ({}) };
    await createFanOut(means)({ runId: run.runId, kind: 'queued', attempt: 0 });
    await tell(anEvent());
    await expect.poll(() => received.length, { timeout: 5000 }).toBe(2);
    expect(received.map(({ url: path }) => path).sort()).toEqual(['/hook', '/hook/runs']);
    expect((await store.notifications.list()).map(({ name }) => name)).toEqual(['hook1']);
    expect((await desk.list()).map(({ name }) => name)).toEqual(['webhook/hook1']);
  });

  it('is pinged in its format, also when it is disabled', async () => {
    const { desk, last } = await setUp();
    const { url, received } = await startReceiver(say(200));
    await desk.put('Hook1', { ...wish, serviceUri: url, isEnabled: false, format: 'cloudevents' }, 'ann');
    const { id, status } = await desk.ping('hook1');
    expect(status).toBe('delivered');
    expect(received[0]?.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(JSON.parse(received[0]!.body)).toMatchObject({ id, subject: 'webhooks/Hook1', data: { action: 'ping' } });
    expect(await last()).toMatchObject({ id, event: 'ping' });
  });
});

describe('the desk for webhooks', () => {
  it('keeps a secret through a whole new one, and headers only through a change', async () => {
    const { desk } = await setUp();
    await desk.put('hook1', { ...wish, customHeaders: { 'X-Key': 'hush' }, tags: { team: 'web' } }, 'ann');
    const made = await desk.config('hook1');
    expect(made).toMatchObject({ serviceUri: wish.serviceUri, customHeaders: { 'x-key': 'hush' } });
    const changed = await desk.change('HOOK1', { scope: 'a:*', actions: ['push', 'untag', 'push'] }, 'bob');
    expect(changed).toMatchObject({
      url: wish.serviceUri,
      headerNames: ['x-key'],
      updatedBy: 'bob',
      version: 2,
      webhook: { name: 'hook1', scope: 'a:*', actions: ['push', 'untag'], format: 'azure', tags: { team: 'web' } },
    });
    expect(JSON.stringify(changed)).not.toContain('hush');
    const whole = await desk.put('hook1', wish, 'ann');
    expect(whole.webhook).toMatchObject({ scope: '', tags: {} });
    expect(await desk.config('hook1')).toEqual({ ...made, customHeaders: {} });
    await desk.change('hook1', { rotateSecret: true }, 'ann');
    expect((await desk.config('hook1')).secret).not.toBe(made.secret);
  });

  it.each([
    ['hook1', { actions: ['push'] }, 'properties.serviceUri'],
    ['hook1', { serviceUri: wish.serviceUri }, 'properties.actions'],
    ['hook1', { ...wish, serviceUri: 'ftp://a.test/' }, 'properties.serviceUri'],
    ['hook1', { ...wish, serviceUri: 'http://a:b@127.0.0.1/' }, 'properties.serviceUri'],
    ['hook1', { ...wish, serviceUri: 'http://10.0.0.7/' }, 'properties.serviceUri'],
    ['hook1', { ...wish, scope: 'Team:x' }, 'properties.scope'],
    ['hook1', { ...wish, secret: 'whsec_short' }, 'properties.secret'],
    ['hook1', { ...wish, secret: 'x', rotateSecret: true }, 'properties.rotateSecret'],
    ['hook1', { ...wish, customHeaders: { 'webhook-id': 'x' } }, 'properties.customHeaders.webhook-id'],
    ['hook1', { ...wish, customHeaders: { host: 'x' } }, 'properties.customHeaders.host'],
    ['four', wish, 'name'],
    ['hook-1', wish, 'name'],
  ] as const)('refuses %s as %j, and names %s', async (name, wrong, field) => {
    const { desk } = await setUp();
    await expect(desk.put(name, wrong, 'ann')).rejects.toMatchObject({ failure: { reason: 'invalid-request', field } });
    expect(await desk.list()).toEqual([]);
  });

  it('knows nothing of what was deleted', async () => {
    const { desk, tell, queue } = await setUp();
    await desk.put('hook1', wish, 'ann');
    expect([await desk.delete('HOOK1'), await desk.delete('hook1')]).toEqual([true, false]);
    for (const call of [desk.get, desk.config, desk.ping])
      await expect(call('hook1')).rejects.toMatchObject({ failure: { reason: 'not-found' } });
    await tell(anEvent());
    await desk.put('hook1', wish, 'ann');
    expect(await desk.events('hook1', 10)).toEqual([]);
    await queue.close();
  });
});
