import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { createNotificationDesk } from '../../src/notify/notifications/desk.ts';
import { openNotification } from '../../src/notify/notifications/sealed.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { password, startRig, testKey } from '../http/rig.ts';
import { say, startReceiver } from '../notify/notifications/rig.ts';
import { call, makeFolder } from './rig-api.ts';

async function setUp() {
  const store = createMemoryStore({ clock: systemClock });
  const notifications = createNotificationDesk({
    notifications: store.notifications,
    queue: { enqueue: async () => undefined },
    egress: createEgress({ allow: ['127.0.0.1'] }),
    key: testKey,
    clock: systemClock,
    source: 'http://slipway.test/api/v1',
    newId: () => '83de0000-0000-4000-8000-000000000001',
  });
  const { url } = await startRig({ store, notifications });
  const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const cwd = await makeFolder();
  const slipway = (...words: string[]) => call(['notification', ...words], { env, cwd });
  return { slipway, store, cwd };
}

const url = 'http://127.0.0.1:9/hook';

describe('slipway notification', () => {
  it('makes one, with headers and patterns, and shows its secret once', async () => {
    const { slipway, store, cwd } = await setUp();
    await writeFile(join(cwd, 'headers'), '# for the chat\nAuthorization: Bearer a:b\n\nX-Team:  web \n');
    const flags = ['--url', url, '--event', 'run.failed', '--event', 'run.error', '--task', 'web-*'];
    const { code, stdout, stderr } = await slipway('create', 'chat', ...flags, '--header-file', 'headers');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Notification chat tells ${url} of run.failed, run.error.\n`);
    const secret = /this once: (whsec_\S+)\n/.exec(stdout)?.[1];
    const kept = (await store.notifications.get('chat'))!;
    expect(openNotification(testKey, kept)).toEqual({
      secret,
      headers: { authorization: 'Bearer a:b', 'x-team': 'web' },
    });
    const shown = await slipway('show', 'chat');
    expect(shown.stdout).toContain('headers  authorization x-team\n');
    expect(shown.stdout).not.toContain('Bearer');
    expect((await slipway('list')).stdout).toBe(`chat  Enabled  ${url}  run.failed run.error\n`);
    expect((await slipway('create', 'chat', '--url', url)).stdout).toBe(
      `Notification chat tells ${url} of run.failed, run.error, run.timeout.\n`,
    );
  });

  it('pings, lists deliveries, makes them again, and deletes', async () => {
    const { slipway } = await setUp();
    const receiver = await startReceiver((response, count) => {
      say(count === 1 ? 500 : 200)(response);
    });
    await slipway('create', 'chat', '--url', receiver.url);
    const id = 'msg_83de0000000040008000000000000001';
    expect(await slipway('ping', 'chat')).toMatchObject({
      code: 1,
      stdout: `Not delivered: the receiver answers 500 (${id})\n`,
    });
    expect((await slipway('deliveries', 'chat', '--dead')).stdout).toMatch(
      new RegExp(`^${id}  ping    dead  1 try  .*  the receiver answers 500\n$`),
    );
    expect((await slipway('replay', 'chat', id)).stdout).toBe(`Delivery ${id} will be made again.\n`);
    expect((await slipway('deliveries', 'chat', '--dead')).stderr).toBe('There are no such deliveries.\n');
    expect((await slipway('ping', 'chat')).code).toBe(0);
    expect((await slipway('delete', 'chat')).stdout).toBe('Notification chat is deleted.\n');
    expect((await slipway('list')).stderr).toBe('There are no notifications.\n');
    expect((await slipway('show', 'chat')).code).toBe(3);
  });

  it.each([
    [['--url', url, '--event', 'run.done'], '--event must be one of run.queued'],
    [[], "required option '--url <url>' not specified"],
    [['--url', 'http://10.0.0.7/'], 'is a private address'],
    [['--url', url, '--header-file', 'nowhere'], 'nowhere cannot be read'],
    [['--url', url, '--header-file', 'wrong'], 'header 1 of --header-file is no "Name: value"'],
    [['--url', url, '--secret-file', 'wrong'], 'secret must be "whsec_"'],
  ])('says what is wrong with %j', async (flags, message) => {
    const { slipway, cwd } = await setUp();
    await writeFile(join(cwd, 'wrong'), 'hush hush\n');
    const { code, stderr, stdout } = await slipway('create', 'chat', ...flags);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stdout + stderr).not.toContain('hush');
  });
});
