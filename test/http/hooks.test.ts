import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readFileSync } from 'node:fs';
import { Ajv2020, type SchemaObject } from 'ajv/dist/2020.js';
import { createMemoryDeliveryQueue } from '../../src/queue/memory/deliveries.ts';
import {
  aWatchingTask,
  commitOf,
  hookSecret,
  putTask,
  signDelivery,
  signPush,
  type SignedDelivery,
} from '../rig/deliveries.ts';
import { basic, startRig, testKey } from './rig.ts';

const schema = new URL('../../schemas/api/webhook-delivery.schema.json', import.meta.url);
const isDocument = new Ajv2020({ strict: true, allErrors: true }).compile(
  JSON.parse(readFileSync(schema, 'utf8')) as SchemaObject,
);
const commit = commitOf('a');

async function startHooks({ maxBytes = 1024 * 1024, sharedSecrets = [hookSecret] } = {}) {
  const queued: string[] = [];
  const queue = { ...createMemoryDeliveryQueue(), enqueue: async (id: string) => void queued.push(id) };
  const rig = await startRig({ hooks: { queue, sharedSecrets, maxBytes } });
  await putTask(rig.store, aWatchingTask(testKey));
  const send = async (path: string, { headers, body }: SignedDelivery) => {
    const response = await fetch(`${rig.url}/hooks/git/${path}`, { method: 'POST', headers, body });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text) as { deliveryId?: string; error?: { target?: string } } };
  };
  return { ...rig, queued, send };
}

describe('POST /hooks/git/{task}', () => {
  it('records and queues a delivery, and answers 202 with its id', async () => {
    const { send, queued, api } = await startHooks();
    const { status, body } = await send('build-app', signPush({ commit, id: 'aaaaaaaa-1' }));
    expect([status, body]).toEqual([202, { deliveryId: 'build-app.github.aaaaaaaa-1' }]);
    expect(queued).toEqual([body.deliveryId]);
    const shown = await api('GET', `/webhookDeliveries/${body.deliveryId ?? ''}`);
    expect(shown.body.properties).toMatchObject({ hook: 'build-app', commit, status: 'received', arrivals: 1 });
    expect(isDocument(shown.body), JSON.stringify(isDocument.errors)).toBe(true);
  });

  it('takes the name of the task in any case, and "shared" for all tasks', async () => {
    const { send } = await startHooks();
    expect((await send('BUILD-APP', signPush({ commit }))).status).toBe(202);
    expect((await send('shared', signPush({ commit }))).body.deliveryId).toMatch(/^shared\.github\./);
  });

  it('answers 200 to a ping', async () => {
    const { send } = await startHooks();
    expect((await send('build-app', signDelivery('ping', { zen: 'calm' }))).status).toBe(200);
  });

  it('answers 401 without a signature, and 403 alike for a wrong one, an unknown task and a name that is none', async () => {
    const { send } = await startHooks();
    const push = signPush({ commit });
    const { 'x-hub-signature-256': _, ...unsigned } = push.headers;
    expect((await send('build-app', { ...push, headers: unsigned })).status).toBe(401);
    expect((await send('nobody-here', { ...push, headers: unsigned })).status).toBe(401);
    expect((await send('build-app', { headers: {}, body: push.body })).status).toBe(401);
    const wrong = await send('build-app', signDelivery('push', {}, { secret: 'another' }));
    expect(wrong.status).toBe(403);
    expect(await send('nobody-here', push)).toEqual(wrong);
    expect(await send('x', push)).toEqual(wrong);
    expect(await send('-', push)).toEqual(wrong);
  });

  it('is shut at the shared webhook as long as that has no secret', async () => {
    const { send } = await startHooks({ sharedSecrets: [] });
    expect((await send('shared', signPush({ commit }))).status).toBe(403);
    expect((await send('shared', signDelivery('push', {}, { secret: '' }))).status).toBe(403);
  });

  it('answers 400 with the field for a signed payload that cannot be read', async () => {
    const { send } = await startHooks();
    const { status, body } = await send('build-app', signDelivery('push', { ref: 'refs/heads/main', repository: {} }));
    expect([status, body.error?.target]).toEqual([400, 'repository.full_name']);
    const push = signPush({ commit });
    expect((await send('build-app?provider=cvs', push)).status).toBe(400);
    expect((await send('build-app?provider=github', push)).status).toBe(202);
  });

  it('answers 413 to what is too large before it is read, and 405 to another method', async () => {
    const { send, url } = await startHooks({ maxBytes: 1000 });
    const large = signDelivery('push', { text: 'x'.repeat(2000) });
    expect((await send('build-app', large)).status).toBe(413);
    expect((await fetch(`${url}/hooks/git/build-app`)).status).toBe(405);
  });

  it('has the headers of every answer, an id, and a line in the log without the query', async () => {
    const { url, logged } = await startHooks();
    const response = await fetch(`${url}/hooks/git/build-app?provider=github&token=hush`, {
      method: 'POST',
      ...signPush({ commit }),
      headers: { ...signPush({ commit }).headers, 'x-ms-correlation-request-id': 'mine-1' },
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-cache, no-store',
      'x-content-type-options': 'nosniff',
      'x-ms-correlation-request-id': 'mine-1',
    });
    const requestId = response.headers.get('x-ms-request-id');
    await expect.poll(() => logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({
      level: 'info',
      context: { requestId, method: 'POST', path: '/hooks/git/build-app', status: response.status },
    });
  });

  it('lies at its own path alone', async () => {
    const { url } = await startHooks();
    const statusOf = async (path: string) => (await fetch(`${url}${path}`, { method: 'POST' })).status;
    expect(await statusOf('/hooks/git/build-app/')).toBe(401);
    for (const path of ['/hooks/git', '/hooks/git/', '/hooks/git/a/b', '/hooks/svn/a', '/Hooks/git/build-app']) {
      expect(await statusOf(path), path).toBe(404);
    }
    expect(await statusOf('/hooks/git/%E0%A4%A?provider=github')).toBe(401);
    expect(await statusOf('/hooks/git/build-app?provider=github&provider=gitlab')).toBe(400);
  });

  it('writes nothing of the payload into the log', async () => {
    const { send, logged } = await startHooks();
    await send('build-app', signPush({ commit, message: 'a word of the commit' }));
    expect(JSON.stringify(logged)).not.toContain('a word of the commit');
    expect(JSON.stringify(logged)).not.toContain(hookSecret);
  });
});

describe('webhookDeliveries', () => {
  it('are listed newest first, by webhook and in pages, for who has an account', async () => {
    const { send, api, url, clock } = await startHooks();
    for (let at = 0; at < 60; at += 1) {
      clock.advance(1);
      await send(at % 2 === 0 ? 'build-app' : 'shared', signPush({ commit, id: `aaaaaaaa-${at}` }));
    }
    const first = await api('GET', '/webhookDeliveries');
    expect(first.body.value).toHaveLength(50);
    expect(first.body.value[0].name).toBe('shared.github.aaaaaaaa-59');
    expect(first.body.value[0].properties.hook).toBe('shared');
    const second = await fetch(String(first.body.nextLink), { headers: { authorization: basic } });
    const rest = (await second.json()) as { value: { name: string }[] };
    expect(rest.value.map(({ name }) => name).at(-1)).toBe('build-app.github.aaaaaaaa-0');
    const own = await api('GET', '/webhookDeliveries?hook=build-app&$top=3');
    expect(own.body.value).toHaveLength(3);
    expect(own.body.nextLink).toBeUndefined();
    expect((await fetch(`${url}/api/v1/webhookDeliveries`)).status).toBe(401);
  });

  it('can be delivered again, as a delivery of its own', async () => {
    const { send, api, queued } = await startHooks();
    const { body } = await send('build-app', signPush({ commit }));
    const id = body.deliveryId ?? '';
    const again = await api('POST', `/webhookDeliveries/${id}/redeliver`);
    expect([again.status, again.body.name]).toEqual([202, `${id}.r1`]);
    expect(queued).toEqual([id, `${id}.r1`]);
    expect((await api('POST', '/webhookDeliveries/unknown/redeliver')).status).toBe(404);
    expect((await api('GET', '/webhookDeliveries/unknown')).status).toBe(404);
  });
});

describe('the body of a delivery', () => {
  /** Sends with a socket of its own, as few clients do. */
  function open(url: string, headers: Record<string, string>) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const call = request(`${url}/hooks/git/build-app`, { method: 'POST', agent, headers });
    onTestFinished(() => {
      agent.destroy();
    });
    const status = new Promise<number | string>((resolve) => {
      call.once('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      call.once('error', (error) => {
        resolve(error.message);
      });
    });
    return { call, status };
  }

  it('is taken in pieces, without its length being told before', async () => {
    const { url } = await startHooks();
    const { headers, body } = signPush({ commit });
    const { call, status } = open(url, headers);
    call.write(body.subarray(0, 10));
    call.write(body.subarray(10, 100));
    call.end(body.subarray(100));
    expect(await status).toBe(202);
  });

  it('that turns out too large is refused while it is being sent', async () => {
    const { url } = await startHooks({ maxBytes: 1000 });
    const { call, status } = open(url, {});
    call.write('x'.repeat(1001));
    expect(await status).toBe(413);
    const closed = once(call, 'close');
    call.end('x');
    await closed;
  });

  it('that is compressed is refused', async () => {
    const { send } = await startHooks();
    const { headers, body } = signPush({ commit });
    const { status } = await send('build-app', { headers: { ...headers, 'content-encoding': 'gzip' }, body });
    expect(status).toBe(400);
  });

  it('of an unknown or large size is one of a few at a time, and makes room when it breaks off', async () => {
    const { url, send, logged } = await startHooks();
    const chunked = Array.from({ length: 8 }, () => open(url, {}));
    for (const { call } of chunked) call.write('{');
    const refused = async () => {
      const { call, status } = open(url, { 'transfer-encoding': 'chunked' });
      call.end('{}');
      return status;
    };
    await expect.poll(refused).toBe(429);
    expect((await send('build-app', signPush({ commit }))).status).toBe(202);
    chunked[0]?.call.destroy();
    await expect.poll(refused).toBe(401);
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
