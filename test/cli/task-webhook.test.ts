import { describe, expect, it } from 'vitest';
import type { TaskName } from '../../src/domain/task.ts';
import { password, startRig } from '../http/rig.ts';
import { aWatchingTask, commitOf, putTask, signPush } from '../rig/deliveries.ts';
import { key, setUp as setUpIntake } from '../trigger/git-rig.ts';
import { call, envFor, sendError, sendJson, startFakeApi, type Handler } from './rig-api.ts';

const delivery = (more: object = {}) => ({
  name: 'd1',
  properties: {
    receivedTime: '2026-11-21T09:00:00.000Z',
    hook: 'web-app',
    provider: 'github',
    event: 'push',
    repository: 'team/app',
    ref: 'refs/heads/main',
    commit: 'a'.repeat(40),
    status: 'done',
    verdicts: [{ task: 'web-app', runId: 'ca1' }],
    notes: [],
    arrivals: 2,
    ...more,
  },
});

const details: Handler = (_, response) =>
  sendJson(response, {
    name: 'web-app',
    properties: {
      step: { type: 'Docker' },
      webhook: { url: 'https://ci.example.com/hooks/git/web-app', secrets: ['sesame'] },
      trigger: {
        sourceTriggers: [
          {
            name: 's',
            sourceRepository: { repositoryUrl: 'https://git.example.com/team/app.git#main:x' },
            sourceTriggerEvents: ['commit', 'tag'],
          },
        ],
      },
    },
  });

const byHand = [
  'Add a webhook to https://git.example.com/team/app.git:',
  '  URL           https://ci.example.com/hooks/git/web-app',
  '  Secret        sesame',
  '  Content type  application/json',
  '  Events        push, tag',
  '',
];

describe('slipway task webhook deliveries', () => {
  it('shows what came and what it came to', async () => {
    const refused = { verdicts: [{ task: 'web-app', because: 'branch x is not main' }], ref: 'refs/heads/x' };
    const value = [
      delivery(),
      delivery(refused),
      delivery({ verdicts: [], notes: ['nobody watches team/app'], hook: 'shared' }),
    ];
    const api = await startFakeApi({ 'GET /api/v1/webhookDeliveries': (_, response) => sendJson(response, { value }) });
    const { code, stdout } = await call(['task', 'webhook', 'deliveries', '--task', 'web-app'], {
      env: envFor(api.url),
    });
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'DELIVERY  RECEIVED       WEBHOOK  EVENT  REF   STATUS  CAME TO',
      'd1        5 minutes ago  web-app  push   main  done    web-app: ca1',
      'd1        5 minutes ago  web-app  push   x     done    web-app: branch x is not main',
      'd1        5 minutes ago  shared   push   main  done    nobody watches team/app',
      '',
    ]);
    expect(Object.fromEntries(new URL(api.seen[0]!.path, 'http://x').searchParams)).toEqual({
      $top: '15',
      hook: 'web-app',
    });
  });

  it('takes ids as they stand in its help, which are those that are printed', async () => {
    const { stdout } = await call(['task', 'webhook', '--help']);
    const ids = [...stdout.matchAll(/^ {2}slipway task webhook (?:deliveries|redeliver) (\S+-\S+)$/gm)].map(
      ([, id]) => id,
    );
    expect(ids).toHaveLength(2);
    const intake = setUpIntake();
    await putTask(intake.store, aWatchingTask(key, { name: 'web-app' as TaskName }));
    const forgeId = '72d3162e-cc78-11e3-81ab-4c9367dc0958';
    const { deliveryId } = await intake.take(signPush({ commit: commitOf('a'), id: forgeId }), { hook: 'web-app' });
    expect(new Set(ids)).toEqual(new Set([deliveryId]));
  });

  it('shows one with all that is known of it', async () => {
    const api = await startFakeApi({
      'GET /api/v1/webhookDeliveries/d1': (_, response) => sendJson(response, delivery()),
    });
    const { stdout } = await call(['task', 'webhook', 'deliveries', 'd1'], { env: envFor(api.url) });
    expect(stdout).toContain('Repository:  team/app\n');
    expect(stdout).toContain('Came to:\n  web-app  run ca1\n');
    const json = await call(['task', 'webhook', 'deliveries', 'd1', '--json'], { env: envFor(api.url) });
    expect(JSON.parse(json.stdout)).toMatchObject({ id: 'd1', arrivals: 2 });
  });

  it('agrees with the real server', async () => {
    const { url, store } = await startRig();
    const { name: id, properties } = delivery();
    const { arrivals: _, ...more } = properties;
    await store.deliveries.receive({ id, ...more } as never, '{}');
    const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
    const { code, stdout } = await call(['task', 'webhook', 'deliveries', '--json'], { env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ id: 'd1', status: 'done', verdicts: [{ runId: 'ca1' }] }]);
    expect((await call(['task', 'webhook', 'deliveries', 'd9'], { env })).code).toBe(3);
  });

  it.each([
    [['deliveries', '--top', '0'], '--top must be a whole number'],
    [['deliveries', '--task', 'a b'], '--task must be the name of a task, or shared'],
    [['redeliver', 'a b'], 'that is no delivery’s id'],
  ])('refuses %j', async (words, message) => {
    const { code, stderr } = await call(['task', 'webhook', ...words]);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

describe('slipway task webhook redeliver', () => {
  it('has a delivery worked off again, as a new one', async () => {
    const again = { ...delivery({ status: 'received', verdicts: [] }), name: 'd1.r1' };
    const api = await startFakeApi({
      'POST /api/v1/webhookDeliveries/d1/redeliver': (_, response) => sendJson(response, again, 202),
    });
    const { code, stdout } = await call(['task', 'webhook', 'redeliver', 'd1'], { env: envFor(api.url) });
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Delivery d1 is worked off again, as d1.r1.']);
  });
});

describe('slipway task webhook setup', () => {
  it('shows what is to be entered by hand, and asks nobody else', async () => {
    const api = await startFakeApi({ 'POST /api/v1/tasks/web-app/listDetails': details });
    const { code, stdout } = await call(['task', 'webhook', 'setup', 'web-app', '--manual'], { env: envFor(api.url) });
    expect([code, stdout]).toEqual([0, byHand.join('\n')]);
    expect(api.seen).toHaveLength(1);
  });

  it('has the server register it, with a token that is not in the command line', async () => {
    const api = await startFakeApi({
      'POST /api/v1/tasks/web-app/listDetails': details,
      'POST /api/v1/tasks/web-app/setUpWebhook': (_, response) =>
        sendJson(response, {
          url: 'https://ci.example.com/hooks/git/web-app',
          secret: 'sesame',
          webhooks: [{ repositoryUrl: 'https://git.example.com/team/app.git', events: ['push'], isRegistered: true }],
        }),
    });
    const words = ['task', 'webhook', 'setup', 'web-app', '--git-access-token', '-', '--provider', 'GitLab'];
    const { code, stdout } = await call(words, { env: envFor(api.url), stdin: 'tok\n' });
    expect([code, stdout]).toEqual([
      0,
      'The webhook https://ci.example.com/hooks/git/web-app is registered at https://git.example.com/team/app.git.\n',
    ]);
    expect(JSON.parse(api.seen[1]!.body.toString())).toEqual({ token: 'tok', provider: 'gitlab' });
  });

  it('says how to do it by hand when the forge will not', async () => {
    const api = await startFakeApi({
      'POST /api/v1/tasks/web-app/listDetails': details,
      'POST /api/v1/tasks/web-app/setUpWebhook': (_, response) =>
        sendError(response, 403, { code: 'AuthorizationFailed', message: 'the forge does not let this token' }),
    });
    const { code, stdout, stderr } = await call(['task', 'webhook', 'setup', 'web-app'], { env: envFor(api.url) });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(`${byHand.join('\n')}error: the forge does not let this token\n`);
  });

  it('has nothing to set up for a task that watches no repository', async () => {
    const { url } = await startRig();
    const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
    await call(['task', 'create', 'hello-cmd', '--cmd', 'busybox true'], { env });
    const { code, stderr } = await call(['task', 'webhook', 'setup', 'hello-cmd'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('task hello-cmd watches no repository, so it has no webhook');
  });
});

describe('slipway task webhook setup and the real server', () => {
  it('agree on what is to be entered by hand where there is no token', async () => {
    const { url } = await startRig();
    const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
    const context = 'https://git.example.com/team/app.git#main';
    await call(['task', 'create', 'web-app', '-c', context, '-f', 'a.yaml'], { env });
    const { code, stdout } = await call(['task', 'webhook', 'setup', 'web-app'], { env });
    expect(code).toBe(0);
    expect(stdout).toContain('Add a webhook to https://git.example.com/team/app.git:\n');
    expect(stdout).toMatch(/ {2}URL {11}http:.*\/hooks\/git\/web-app\n {2}Secret {8}\S{40,}\n/);
    expect(stdout).toMatch(/ {2}Events {8}push, tag\n/);
  });
});

describe('slipway task webhook rotate', () => {
  it('makes a new secret beside the old one, and ends the old one', async () => {
    const { url } = await startRig();
    const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
    await call(['task', 'create', 'web-app', '-c', 'https://git.example.com/a.git', '-f', 'a.yaml'], { env });
    const { stdout, stderr } = await call(['task', 'webhook', 'rotate', 'web-app'], { env });
    expect(stdout).toMatch(/^The new secret of .*\/hooks\/git\/web-app:\n\S+\n$/);
    expect(stderr).toBe('The old one stays good until slipway task webhook rotate web-app --revoke-old\n');
    const ended = await call(['task', 'webhook', 'rotate', 'web-app', '--revoke-old'], { env });
    expect([ended.code, ended.stdout]).toEqual([0, 'The old secret is not good any more.\n']);
  });
});
