import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { createWebhookDesk } from '../../src/notify/webhooks/desk.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { password, startRig, testKey } from '../http/rig.ts';
import { say, startReceiver } from '../notify/notifications/rig.ts';
import { origin } from '../notify/webhooks/rig.ts';
import { call, makeFolder } from './rig-api.ts';

async function setUp() {
  const store = createMemoryStore({ clock: systemClock });
  const webhooks = createWebhookDesk({
    notifications: store.notifications,
    queue: { enqueue: async () => undefined },
    egress: createEgress({ allow: ['127.0.0.1'] }),
    key: testKey,
    clock: systemClock,
    origin,
    newId: randomUUID,
  });
  const { url } = await startRig({ store, webhooks });
  const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const cwd = await makeFolder();
  const slipway = (...words: string[]) => call(['webhook', ...words], { env, cwd });
  return { slipway, webhooks, cwd };
}

const uri = 'http://127.0.0.1:9/hook';

describe('slipway webhook', () => {
  it('makes one with the words of az acr webhook', async () => {
    const { slipway, webhooks } = await setUp();
    const words = ['-n', 'deploys', '-r', 'slipway', '--uri', uri, '--actions', 'push', 'delete', '--scope', 'web:*'];
    const more = ['--headers', 'Authorization=Basic a=b', 'X-Team=web', '--tags', 'a=1', '--status', 'Enabled'];
    const { code, stdout, stderr } = await slipway('create', ...words, ...more, '-l', 'westeurope');
    expect([code, stdout]).toEqual([0, 'Webhook deploys is there: push, delete of web:*.\n']);
    expect(stderr).toContain('slipway webhook get-config deploys');
    expect(await webhooks.config('deploys')).toMatchObject({
      serviceUri: uri,
      customHeaders: { authorization: 'Basic a=b', 'x-team': 'web' },
    });
    expect((await slipway('list')).stdout).toBe('deploys  enabled  push delete  web:*  azure\n');
    expect((await slipway('show', 'deploys')).stdout).toMatch(
      /^name .*\nstatus .*enabled\nactions .*\nscope {4}web:\*\n/,
    );
    const config = (await slipway('get-config', 'deploys')).stdout;
    expect(config).toMatch(
      /^url {5}http.*\nheader {2}authorization: Basic a=b\nheader {2}x-team: web\nsecret {2}whsec_/,
    );
  });

  it('changes what is named, and keeps what no command line may hold out of it', async () => {
    const { slipway, webhooks, cwd } = await setUp();
    await slipway('create', 'hook1', '--uri', uri, '--actions', 'push');
    const before = await webhooks.config('hook1');
    await writeFile(join(cwd, 'headers'), '# for us\nX-Key: hush\n');
    const words = ['--status', 'disabled', '--format', 'distribution', '--header-file', 'headers', '--rotate-secret'];
    const { stdout } = await slipway('update', 'hook1', ...words);
    expect(stdout).toBe('Webhook hook1 is changed: push of everything, disabled.\n');
    const after = await webhooks.config('hook1');
    expect(after.customHeaders).toEqual({ 'x-key': 'hush' });
    expect(after.secret).not.toBe(before.secret);
    expect((await slipway('update', 'hook1', '--headers', '')).code).toBe(0);
    expect((await webhooks.config('hook1')).customHeaders).toEqual({});
    expect(await slipway('update', 'hook1')).toMatchObject({ code: 2, stdout: '' });
  });

  it('pings, lists events, makes them again, and deletes', async () => {
    const { slipway } = await setUp();
    const receiver = await startReceiver((response, count) => {
      say(count === 1 ? 500 : 200)(response);
    });
    await slipway('create', 'hook1', '--uri', receiver.url, '--actions', 'push');
    const failed = await slipway('ping', 'hook1');
    const id = /\((\S+)\)/.exec(failed.stdout)?.[1] ?? '';
    expect(failed).toMatchObject({ code: 1, stdout: `Not delivered: the receiver answers 500 (${id})\n` });
    expect((await slipway('list-events', 'hook1')).stdout).toMatch(
      new RegExp(`^${id}  ping    dead  1 try  .*  the receiver answers 500\n$`),
    );
    const [event] = JSON.parse((await slipway('list-events', 'hook1', '--json')).stdout) as object[];
    expect(event).toMatchObject({ eventResponseMessage: { statusCode: '500' } });
    expect((await slipway('redeliver', 'hook1', id)).stdout).toBe(`Event ${id} will be delivered again.\n`);
    expect((await slipway('ping', 'hook1')).code).toBe(0);
    expect((await slipway('delete', 'hook1')).stdout).toBe('Webhook hook1 is deleted.\n');
    expect((await slipway('list')).stderr).toBe('There are no webhooks.\n');
    expect((await slipway('delete', 'hook1')).code).toBe(3);
    expect((await slipway('show', 'hook1')).code).toBe(3);
  });

  it.each([
    [['create', 'hook1', '--uri', uri], "required option '--actions <action...>' not specified"],
    [['create', 'hook1', '--uri', uri, '--actions', 'pull'], '--actions must be one of push, delete'],
    [
      ['create', 'hook1', '--uri', uri, '--actions', 'push', '--headers', 'hush'],
      'word 1 of --headers is no name=value',
    ],
    [['create', 'ab', '--uri', uri, '--actions', 'push'], '"ab" is no name of a webhook'],
    [['show'], 'which webhook? Its name is missing'],
    [['show', 'hook1', '-n', 'hook2'], 'which webhook, hook1 or hook2?'],
    [['update', 'hook1', '--status', 'on'], '--status must be one of enabled, disabled'],
  ])('refuses %j', async (words, message) => {
    const { slipway } = await setUp();
    const { code, stderr } = await slipway(...words);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('hush\n');
    expect(code).toBe(2);
  });
});
