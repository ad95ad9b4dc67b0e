import { createHmac, randomUUID } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TaskName } from '../../../src/domain/task.ts';
import { createEgress } from '../../../src/egress/egress.ts';
import { createNotificationDesk } from '../../../src/notify/notifications/desk.ts';
import type { NotificationWish } from '../../../src/notify/notifications/wish.ts';
import { startNotifications } from '../../../src/notify/notifications/start.ts';
import { createMemoryNotificationQueue } from '../../../src/queue/memory/notifications.ts';
import { createMemoryRunNotices } from '../../../src/queue/memory/run-notices.ts';
import type { RunNotice } from '../../../src/queue/ports.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import { aNewRun, TestClock } from '../../store/fixtures.ts';
import { say, startReceiver } from './rig.ts';

const key = Buffer.alloc(32, 7);
const source = 'http://slipway.test/api/v1';
const failed: NotificationWish = { url: 'http://127.0.0.1:9/', events: ['run.failed'] };

/** Everything that notifications stand on, in memory, with three tries a few milliseconds apart. */
async function setUp({ allow = ['127.0.0.1'], timeoutMs = 2000, pauses = [2, 2] } = {}) {
  const clock = new TestClock();
  const store = createMemoryStore({ clock });
  const notices = createMemoryRunNotices();
  const queue = createMemoryNotificationQueue(pauses);
  const egress = createEgress({ allow });
  const base = { queue, egress, key, clock, source, timeoutMs, notifications: store.notifications };
  const desk = createNotificationDesk({ ...base, newId: randomUUID });
  const errors: string[] = [];
  const consumer = await startNotifications({
    ...base,
    notices,
    runs: store.runs,
    describeRun: ({ runId, status, task }) => ({ runId, status, task }),
    onError: (error) => errors.push(error.message),
  });
  onTestFinished(async () => {
    await queue.close();
    await consumer.close();
    await notices.close();
  });
  const tell = async (status: 'Succeeded' | 'Failed' = 'Failed', task?: string) => {
    const { run } = await store.runs.create(aNewRun(task === undefined ? {} : { task: task as TaskName }));
    await store.runs.begin(run.runId, 'w1');
    await store.runs.append(run.runId, 1, [{ kind: 'run-ended', status }]);
    const notice: RunNotice = { runId: run.runId, kind: 'ended', attempt: 1 };
    await notices.publish(notice);
    return notice;
  };
  const last = async (name = 'chat') => (await store.notifications.listDeliveries(name, 1))[0];
  const statusOf = (name?: string) => expect.poll(async () => (await last(name))?.status, { timeout: 5000 });
  return { clock, store, notices, desk, tell, last, statusOf, errors };
}

/** CloudEvents 1.0: what every event in structured mode has (the JSON schema of the specification, in short). */
const cloudEvent = new Ajv2020().compile({
  type: 'object',
  required: ['id', 'source', 'specversion', 'type'],
  properties: {
    id: { type: 'string', minLength: 1 },
    source: { type: 'string', minLength: 1 },
    specversion: { const: '1.0' },
    type: { type: 'string', pattern: '^[a-z0-9.]+$' },
    subject: { type: 'string', minLength: 1 },
    time: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' },
    datacontenttype: { type: 'string', minLength: 1 },
    data: { type: 'object' },
  },
  propertyNames: { pattern: '^[a-z0-9]+$' },
});

describe('a run that fails', () => {
  it('is told as a signed CloudEvent, with the headers that were asked for', async () => {
    const { desk, tell, statusOf, last } = await setUp();
    const { url, received } = await startReceiver(say(204));
    const customHeaders = { Authorization: 'Bearer hush' };
    const { secret = '' } = await desk.put('chat', { ...failed, url, customHeaders }, 'ann');
    const { runId } = await tell();
    await statusOf().toBe('delivered');
    const { headers, body } = received[0]!;
    const event = JSON.parse(body) as Record<string, unknown>;
    expect(cloudEvent(event), JSON.stringify(cloudEvent.errors)).toBe(true);
    expect(event).toMatchObject({
      type: 'dev.slipway.run.failed',
      source,
      subject: `runs/${runId}`,
      data: { runId, status: 'Failed' },
    });
    expect(headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      authorization: 'Bearer hush',
      'webhook-id': event['id'],
      'webhook-timestamp': '1795251600',
    });
    const mac = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'));
    const signed = `${String(event['id'])}.1795251600.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${mac.update(signed).digest('base64')}`);
    expect(await last()).toMatchObject({ event: 'run.failed', runId, tries: [{ status: 204 }] });
  });

  it('is told once, however often the notice comes', async () => {
    const { desk, tell, statusOf, store, notices } = await setUp();
    const { url, received } = await startReceiver(say(200));
    await desk.put('chat', { ...failed, url }, 'ann');
    const notice = await tell();
    await statusOf().toBe('delivered');
    await notices.publish(notice);
    await tell();
    await expect.poll(() => received.length).toBe(2);
    expect(await store.notifications.listDeliveries('chat', 10)).toHaveLength(2);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
  });

  it('is told to those who want it alone', async () => {
    const { desk, tell, statusOf, last } = await setUp();
    const { url, received } = await startReceiver(say(200));
    await desk.put('all', { url, events: ['run.failed', 'run.succeeded'] }, 'ann');
    await desk.put('web', { url, events: ['run.failed'], tasks: ['WEB-*'] }, 'ann');
    await desk.put('off', { url, events: ['run.failed'], status: 'Disabled' }, 'ann');
    await tell('Succeeded', 'web-shop');
    await statusOf('all').toBe('delivered');
    await tell('Failed', 'web-shop');
    await statusOf('web').toBe('delivered');
    await tell('Failed');
    await expect.poll(() => received.length).toBe(4);
    expect((await last('web'))?.runId).not.toBe((await last('all'))?.runId);
    expect(await last('off')).toBeUndefined();
  });
});

describe('a receiver', () => {
  it('that fails is tried again with the same id and body until it takes the event', async () => {
    const { desk, tell, statusOf, last } = await setUp();
    const { url, received } = await startReceiver((response, count) => {
      say(count < 3 ? 503 : 200)(response);
    });
    await desk.put('chat', { ...failed, url }, 'ann');
    await tell();
    await statusOf().toBe('delivered');
    expect((await last())?.tries.map(({ status }) => status)).toEqual([503, 503, 200]);
    expect(new Set(received.map(({ headers, body }) => `${String(headers['webhook-id'])}${body}`)).size).toBe(1);
  });

  it('that never takes it leaves a dead letter, which can be delivered again', async () => {
    const { desk, tell, statusOf, last } = await setUp();
    let status = 500;
    const { url, received } = await startReceiver((response) => {
      say(status)(response);
    });
    await desk.put('chat', { ...failed, url }, 'ann');
    await tell();
    await statusOf().toBe('dead');
    expect((await last())?.tries).toHaveLength(3);
    status = 200;
    const dead = (await last())!;
    expect(await desk.replay('chat', dead.id)).toMatchObject({ status: 'pending', replays: 1 });
    await statusOf().toBe('delivered');
    expect(received.at(-1)?.body).toBe(received[0]?.body);
    await expect(desk.replay('chat', 'nothing')).rejects.toMatchObject({ failure: { reason: 'not-found' } });
  });

  it('that says 410 is told nothing more', async () => {
    const { desk, tell, statusOf, store } = await setUp();
    const { url, received } = await startReceiver(say(410));
    await desk.put('chat', { ...failed, url }, 'ann');
    await tell();
    await statusOf().toBe('dead');
    await expect.poll(async () => (await store.notifications.get('chat'))?.status).toBe('Disabled');
    expect(await store.notifications.get('chat')).toMatchObject({ disabledBecause: 'the receiver answered 410 Gone' });
    await tell();
    expect(received).toHaveLength(1);
  });

  it('that answers nothing is given up after the time limit and tried again', async () => {
    const { desk, tell, statusOf, last } = await setUp({ timeoutMs: 30 });
    const { url } = await startReceiver(() => undefined);
    await desk.put('chat', { ...failed, url }, 'ann');
    await tell();
    await statusOf().toBe('dead');
    expect((await last())?.tries.map(({ because }) => because)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('did not answer in full within 30 ms') as string),
    );
  });

  it('that redirects is not followed', async () => {
    const { desk, tell, statusOf, last } = await setUp({ pauses: [] });
    const other = await startReceiver(say(200));
    const { url } = await startReceiver(say(307, { location: other.url }));
    await desk.put('chat', { ...failed, url }, 'ann');
    await tell();
    await statusOf().toBe('dead');
    expect((await last())?.tries[0]?.because).toContain('redirects (307)');
    expect(other.received).toEqual([]);
  });

  it('at a private address is refused when it is named, and when it turns out to be one', async () => {
    const { desk, store, statusOf, tell, last } = await setUp({ allow: [] });
    await expect(desk.put('chat', failed, 'ann')).rejects.toMatchObject({
      failure: {
        reason: 'invalid-request',
        field: 'url',
        message: expect.stringContaining('SLIPWAY_EGRESS_ALLOW') as string,
      },
    });
    await desk.put('chat', { ...failed, url: 'https://192.0.2.1.invalid/' }, 'ann');
    const kept = (await store.notifications.get('chat'))!;
    await store.notifications.put({ ...kept, url: 'http://169.254.169.254/' }, kept.version);
    await tell();
    await statusOf().toBe('dead');
    expect((await last())?.tries).toHaveLength(1);
  });
});

describe('a ping', () => {
  it('says at once what came of it, also to a disabled notification', async () => {
    const { desk, last } = await setUp();
    const { url, received } = await startReceiver((response, count) => {
      say(count === 1 ? 200 : 404)(response);
    });
    await desk.put('chat', { ...failed, url, status: 'Disabled' }, 'ann');
    expect(await desk.ping('chat')).toMatchObject({ event: 'ping', status: 'delivered', tries: [{ status: 200 }] });
    expect(JSON.parse(received[0]!.body)).toMatchObject({ type: 'dev.slipway.ping', data: { notification: 'chat' } });
    expect(await desk.ping('chat')).toMatchObject({ status: 'dead', tries: [{ because: 'the receiver answers 404' }] });
    expect(await last()).toMatchObject({ event: 'ping', status: 'dead' });
    await expect(desk.ping('nobody')).rejects.toMatchObject({ failure: { reason: 'not-found' } });
  });
});

describe('the secret of a notification', () => {
  it('is made and shown once, stays, and signs for a day beside the one that follows it', async () => {
    const { desk, clock, store } = await setUp();
    const { url, received } = await startReceiver(say(200));
    const { secret, notification } = await desk.put('chat', { ...failed, url }, 'ann');
    expect(secret).toMatch(/^whsec_/);
    expect(JSON.stringify(notification)).not.toContain(secret);
    expect((await desk.put('chat', { ...failed, url }, 'bob')).secret).toBeUndefined();
    const rotated = await desk.put('chat', { ...failed, url, rotateSecret: true }, 'bob');
    expect(rotated.secret).not.toBe(secret);
    const signatures = async () => {
      await desk.ping('chat');
      return received.at(-1)?.headers['webhook-signature']?.toString().split(' ').length;
    };
    expect(await signatures()).toBe(2);
    clock.advance(24 * 3600 * 1000);
    expect(await signatures()).toBe(1);
    const given = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
    expect((await desk.put('chat', { ...failed, url, secret: given }, 'bob')).secret).toBeUndefined();
    expect(await store.notifications.get('chat')).toMatchObject({ version: 4, updatedBy: 'bob' });
  });
});

describe('what is wrong with a notification', () => {
  it.each<[Partial<NotificationWish>, string]>([
    [{ url: 'ftp://example.com' }, 'url'],
    [{ url: 'nonsense' }, 'url'],
    [{ url: 'https://user:hush@example.com' }, 'url'],
    [{ tasks: ['ok', '[a'] }, 'tasks[1]'],
    [{ secret: 'hush' }, 'secret'],
    [{ secret: 'hush', rotateSecret: true }, 'rotateSecret'],
    [{ customHeaders: { 'Webhook-Id': 'hush' } }, 'customHeaders.Webhook-Id'],
    [{ customHeaders: { host: 'hush' } }, 'customHeaders.host'],
    [{ customHeaders: { 'a b': 'hush' } }, 'customHeaders.a b'],
    [{ customHeaders: { a: 'hush\r\nb: c' } }, 'customHeaders.a'],
  ])('is said by field, without a value: %j', async (more, field) => {
    const { desk } = await setUp();
    const error = await desk.put('chat', { ...failed, ...more }, 'ann').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: { reason: 'invalid-request', field } });
    expect(String(error)).not.toContain('hush');
  });

  it('may be its name', async () => {
    const { desk } = await setUp();
    await expect(desk.put('../x', failed, 'ann')).rejects.toMatchObject({ failure: { field: 'name' } });
  });
});
