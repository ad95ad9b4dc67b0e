import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { createNotificationDesk } from '../../src/notify/notifications/desk.ts';
import type { NotificationJob, RunNotice } from '../../src/queue/ports.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { say, startReceiver } from '../notify/notifications/rig.ts';
import { buildRequest, startRig, testKey } from './rig.ts';

async function setUp() {
  const store = createMemoryStore({ clock: systemClock });
  const jobs: NotificationJob[] = [];
  const notifications = createNotificationDesk({
    notifications: store.notifications,
    queue: { enqueue: async (job) => void jobs.push(job) },
    egress: createEgress({ allow: ['127.0.0.1'] }),
    key: testKey,
    clock: systemClock,
    source: 'http://slipway.test/api/v1',
    newId: () => '83de0000-0000-4000-8000-000000000001',
  });
  return { ...(await startRig({ store, notifications })), store, jobs };
}

const chat = { url: 'http://127.0.0.1:9/hook', events: ['run.failed'] };

describe('notifications', () => {
  it('are made with a secret that is shown once, and shown without it and without header values', async () => {
    const { api } = await setUp();
    const body = { ...chat, events: ['RUN.Failed'], tasks: ['web-*'], customHeaders: { 'X-Key': 'hush' } };
    const made = await api('PUT', '/notifications/chat', body);
    expect(made).toMatchObject({
      status: 200,
      body: {
        name: 'chat',
        url: chat.url,
        events: ['run.failed'],
        tasks: ['web-*'],
        status: 'Enabled',
        customHeaderNames: ['x-key'],
        updatedBy: 'admin',
        secret: expect.stringMatching(/^whsec_/) as string,
      },
    });
    const { secret, ...shown } = made.body as Record<string, unknown>;
    expect((await api('GET', '/notifications/chat')).body).toEqual(shown);
    expect((await api('GET', '/notifications')).body).toEqual({ value: [shown] });
    expect(JSON.stringify(shown)).not.toMatch(/hush|sealed/);
    expect(secret).toBeDefined();
  });

  it('hear of runs that are scheduled', async () => {
    const told: RunNotice[] = [];
    const { api } = await startRig({ notices: { publish: async (notice) => void told.push(notice) } });
    await api('POST', '/scheduleRun', buildRequest());
    expect(told).toEqual([{ runId: 'ca1', kind: 'queued', attempt: 0 }]);
  });

  it('are deleted once', async () => {
    const { api } = await setUp();
    await api('PUT', '/notifications/chat', chat);
    expect((await api('DELETE', '/notifications/chat')).status).toBe(204);
    expect((await api('DELETE', '/notifications/chat')).status).toBe(404);
  });

  it.each([
    [{}, 'url'],
    [{ url: chat.url }, 'events'],
    [{ ...chat, events: [] }, 'events'],
    [{ ...chat, events: ['run.done'] }, 'events[0]'],
    [{ ...chat, url: 'http://10.0.0.7/' }, 'url'],
    [{ ...chat, header: {} }, 'header'],
    [{ ...chat, customHeaders: { a: 7 } }, 'customHeaders.a'],
    [{ ...chat, secret: 'whsec_short' }, 'secret'],
  ])('are refused with the wrong field named: %j', async (body, target) => {
    const { api, store } = await setUp();
    expect(await api('PUT', '/notifications/chat', body)).toMatchObject({ status: 400, body: { error: { target } } });
    expect(await store.notifications.list()).toEqual([]);
  });

  it('are pinged, and show their deliveries, which can be made again', async () => {
    const { api, jobs } = await setUp();
    const { url } = await startReceiver(say(500));
    await api('PUT', '/notifications/chat', { ...chat, url });
    const pinged = await api('POST', '/notifications/chat/ping');
    const id = 'msg_83de0000000040008000000000000001';
    expect(pinged).toMatchObject({ status: 200, body: { id, event: 'ping', status: 'dead' } });
    expect((await api('GET', '/notifications/chat/deliveries')).body).toEqual({ value: [pinged.body] });
    expect((await api('GET', '/notifications/chat/deliveries?status=pending')).body).toEqual({ value: [] });
    const one = await api('GET', `/notifications/chat/deliveries/${id}`);
    expect(one.body).toMatchObject({ id, payload: { specversion: '1.0', id, type: 'dev.slipway.ping' } });
    const again = await api('POST', `/notifications/chat/deliveries/${id}/replay`);
    expect(again).toMatchObject({ status: 200, body: { status: 'pending', replays: 1 } });
    expect(jobs).toEqual([{ notification: 'chat', deliveryId: id, replay: 1 }]);
  });

  it.each([
    ['GET', '/notifications/nobody', 404],
    ['POST', '/notifications/nobody/ping', 404],
    ['GET', '/notifications/nobody/deliveries', 404],
    ['GET', '/notifications/chat/deliveries/x', 404],
    ['POST', '/notifications/chat/deliveries/x/replay', 404],
    ['GET', '/notifications/chat/deliveries?status=odd', 400],
    ['GET', '/notifications/chat/deliveries?$top=0', 400],
    ['PUT', '/notifications/a%2Fb', 400],
    ['PATCH', '/notifications/chat', 405],
  ])('answer %s %s with %i', async (method, path, status) => {
    const { api } = await setUp();
    await api('PUT', '/notifications/chat', chat);
    expect((await api(method, path, method === 'PUT' ? chat : undefined)).status).toBe(status);
  });
});
