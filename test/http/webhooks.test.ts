import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { createNotificationDesk } from '../../src/notify/notifications/desk.ts';
import { createWebhookDesk } from '../../src/notify/webhooks/desk.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { say, startReceiver } from '../notify/notifications/rig.ts';
import { origin } from '../notify/webhooks/rig.ts';
import { startRig, testKey } from './rig.ts';

async function setUp() {
  const store = createMemoryStore({ clock: systemClock });
  const base = {
    notifications: store.notifications,
    queue: { enqueue: async () => undefined },
    egress: createEgress({ allow: ['127.0.0.1'] }),
    key: testKey,
    clock: systemClock,
    newId: randomUUID,
  };
  const webhooks = createWebhookDesk({ ...base, origin });
  const notifications = createNotificationDesk({ ...base, source: 'http://slipway.test/api/v1' });
  return { ...(await startRig({ store, webhooks, notifications })), store };
}

const hook = { serviceUri: 'http://127.0.0.1:9/hook', actions: ['push'] };

describe('webhooks of the registry', () => {
  it('are resources of Azure, which tell URL, headers and secret to getCallbackConfig alone', async () => {
    const { api } = await setUp();
    const properties = { ...hook, customHeaders: { 'X-Key': 'hush' }, status: 'ENABLED', scope: 'web-app:*' };
    const made = await api('PUT', '/webhooks/Deploys', { location: 'westeurope', tags: { team: 'web' }, properties });
    const shown = {
      id: '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/slipway/providers/Microsoft.ContainerRegistry/registries/slipway/webhooks/Deploys',
      name: 'Deploys',
      type: 'Microsoft.ContainerRegistry/registries/webhooks',
      location: 'local',
      tags: { team: 'web' },
      properties: {
        status: 'enabled',
        scope: 'web-app:*',
        actions: ['push'],
        format: 'azure',
        provisioningState: 'Succeeded',
        lastUpdatedTime: expect.any(String) as string,
        updatedBy: 'admin',
      },
    };
    expect(made).toMatchObject({ status: 200, body: shown });
    expect((await api('GET', '/webhooks/deploys')).body).toEqual(shown);
    expect((await api('GET', '/webhooks')).body).toEqual({ value: [shown] });
    expect(JSON.stringify(made.body)).not.toMatch(/hush|127\.0\.0\.1|whsec_|sealed/);
    expect((await api('POST', '/webhooks/deploys/getCallbackConfig')).body).toEqual({
      serviceUri: hook.serviceUri,
      customHeaders: { 'x-key': 'hush' },
      secret: expect.stringMatching(/^whsec_/) as string,
    });
  });

  it('are changed by PATCH, which leaves what it does not name', async () => {
    const { api } = await setUp();
    await api('PUT', '/webhooks/hook1', { properties: { ...hook, scope: 'a:*' } });
    const changed = await api('PATCH', '/webhooks/hook1', { properties: { status: 'disabled', actions: ['Delete'] } });
    expect(changed).toMatchObject({
      status: 200,
      body: { properties: { status: 'disabled', actions: ['delete'], scope: 'a:*' } },
    });
    expect((await api('PATCH', '/webhooks/hook2', { tags: {} })).status).toBe(404);
    const again = await api('PUT', '/webhooks/hook1', {
      ...(changed.body as object),
      properties: { ...(changed.body as { properties: object }).properties, serviceUri: hook.serviceUri },
    });
    expect(again).toMatchObject({ status: 200, body: { properties: { status: 'disabled' } } });
  });

  it('are deleted, and it is no fault when there is none', async () => {
    const { api } = await setUp();
    await api('PUT', '/webhooks/hook1', { properties: hook });
    expect((await api('DELETE', '/webhooks/Hook1')).status).toBe(200);
    expect((await api('DELETE', '/webhooks/hook1')).status).toBe(204);
    expect((await api('GET', '/webhooks/hook1')).status).toBe(404);
  });

  it.each([
    [{}, 'properties'],
    [{ properties: {} }, 'properties.serviceUri'],
    [{ properties: { serviceUri: hook.serviceUri } }, 'properties.actions'],
    [{ properties: { ...hook, actions: ['pull'] } }, 'properties.actions[0]'],
    [{ properties: { ...hook, actions: [] } }, 'properties.actions'],
    [{ properties: { ...hook, scope: 'A' } }, 'properties.scope'],
    [{ properties: { ...hook, format: 'xml' } }, 'properties.format'],
    [{ properties: { ...hook, scopes: '' } }, 'properties.scopes'],
    [{ properties: { ...hook, serviceUri: 'http://169.254.169.254/' } }, 'properties.serviceUri'],
  ])('are refused with the wrong field named: %j', async (body, target) => {
    const { api } = await setUp();
    expect(await api('PUT', '/webhooks/hook1', body)).toMatchObject({ status: 400, body: { error: { target } } });
    expect((await api('GET', '/webhooks')).body).toEqual({ value: [] });
  });

  it('are pinged, and list their events with request and answer, which can be made again', async () => {
    const { api, store } = await setUp();
    const { url } = await startReceiver((response) => {
      response.writeHead(500, { 'x-why': 'broken' }).end('sorry');
    });
    const customHeaders = { 'X-Key': 'hush' };
    await api('PUT', '/webhooks/hook1', { properties: { ...hook, serviceUri: url, customHeaders } });
    const pinged = await api('POST', '/webhooks/hook1/ping');
    const { id } = pinged.body as { id: string };
    expect(pinged).toMatchObject({ status: 200, body: { action: 'ping', status: 'dead' } });
    const events = await api('POST', '/webhooks/hook1/listEvents');
    expect(events.body).toMatchObject({
      value: [
        {
          id,
          eventRequestMessage: {
            content: { id, action: 'ping' },
            headers: { 'content-type': 'application/json; charset=utf-8', 'webhook-id': id, 'x-key': '***' },
            method: 'POST',
            requestUri: url,
          },
          eventResponseMessage: {
            content: 'sorry',
            headers: { 'x-why': 'broken' },
            reasonPhrase: 'Internal Server Error',
            statusCode: '500',
          },
        },
      ],
    });
    expect(JSON.stringify(events.body)).not.toContain('hush');
    expect(await api('POST', `/webhooks/hook1/events/${id}/redeliver`)).toMatchObject({
      status: 202,
      body: { id, status: 'pending', replays: 1 },
    });
    expect((await store.notifications.getDelivery('webhook/hook1', id))?.delivery.replays).toBe(1);
    expect((await api('POST', '/webhooks/hook1/events/none/redeliver')).status).toBe(404);
    expect((await api('POST', '/webhooks/hook1/listEvents?$top=0')).status).toBe(400);
    expect((await api('POST', '/webhooks/hook2/listEvents')).status).toBe(404);
  });

  it('are not to be had as notifications, by whatever name', async () => {
    const { api } = await setUp();
    const { url } = await startReceiver(say(200));
    await api('PUT', '/webhooks/hook1', { properties: { ...hook, serviceUri: url } });
    expect((await api('GET', '/notifications')).body).toEqual({ value: [] });
    const path = '/notifications/webhook%2Fhook1';
    expect((await api('GET', path)).status).toBe(404);
    expect((await api('DELETE', path)).status).toBe(404);
    expect((await api('POST', `${path}/ping`)).status).toBe(404);
    expect((await api('PUT', path, { url, events: ['run.failed'] })).status).toBe(404);
    expect((await api('GET', '/webhooks/hook1')).status).toBe(200);
  });
});
