import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import type { Task } from '../../src/domain/task.ts';
import { openTaskSecrets } from '../../src/trigger/sealed-secrets.ts';
import { startRig, testKey } from './rig.ts';
import { dockerTask, encodedTask, fullTask, secretWords } from './task-bodies.ts';

const id =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/slipway/providers/Microsoft.ContainerRegistry/registries/slipway/tasks/nightly';

describe('PUT of a task', () => {
  it('makes one with defaults filled in, and answers 200 with its document', async () => {
    const rig = await startRig();
    const { status, body, headers } = await rig.api('PUT', '/tasks/nightly', dockerTask());
    expect([status, headers.get('etag')]).toEqual([200, '"1"']);
    expect(body).toEqual({
      id,
      name: 'nightly',
      type: 'Microsoft.ContainerRegistry/registries/tasks',
      location: 'westeurope',
      tags: {},
      systemData: { createdAt: '2026-11-21T09:00:00.000Z', lastModifiedAt: '2026-11-21T09:00:00.000Z' },
      properties: {
        provisioningState: 'Succeeded',
        creationDate: '2026-11-21T09:00:00.000Z',
        status: 'Enabled',
        platform: { os: 'linux', architecture: 'amd64' },
        agentConfiguration: {},
        timeout: 3600,
        isSystemTask: false,
        whenSuperseded: 'queue',
        step: {
          type: 'Docker',
          contextPath: 'https://github.com/acme/app.git#main',
          dockerFilePath: 'Dockerfile',
          imageNames: ['app:{{.Run.ID}}'],
          isPushEnabled: true,
          noCache: false,
          arguments: [],
        },
        trigger: { timerTriggers: [], sourceTriggers: [] },
        credentials: { sourceRegistry: { loginMode: 'Default' } },
        watch: [
          { what: 'pushes to github.com/acme/app', isWatched: false, because: 'the task has no source trigger' },
          { what: 'base images', isWatched: false, because: 'the task has no base-image trigger' },
        ],
      },
    });
    expect((await rig.api('GET', '/tasks/NIGHTLY')).body).toEqual(body);
  });

  it('takes every field, keeps the secrets sealed, and shows them in listDetails alone', async () => {
    const rig = await startRig({ newSecret: () => 'whsec_1' });
    const put = await rig.api('PUT', '/tasks/nightly', fullTask());
    expect(put.status).toBe(200);
    const list = await rig.api('GET', '/tasks');
    const get = await rig.api('GET', '/tasks/nightly');
    for (const { body } of [put, list, get]) expect(JSON.stringify(body)).not.toMatch(secretWords);
    expect(get.body.properties).toMatchObject({
      step: {
        arguments: [
          { name: 'A', value: '1', isSecret: false },
          { name: 'B', isSecret: true },
        ],
      },
      credentials: { sourceRegistry: { loginMode: 'None' }, customRegistries: { 'other.example': null } },
      trigger: { sourceTriggers: [{ sourceRepository: { sourceControlType: 'Github', branch: 'main' } }] },
      webhook: { url: `${rig.url}/hooks/git/nightly` },
    });
    const stored = await rig.store.tasks.get('nightly');
    expect(JSON.stringify(stored)).not.toMatch(secretWords);
    expect(openTaskSecrets(testKey, stored?.sealedSecrets)).toEqual({
      context: 'context-token',
      arguments: { B: 'sesame' },
      registries: { 'other.example': 'hunter22' },
      sources: { onpush: 'pat-1' },
      webhook: ['whsec_1'],
    });
    const details = await rig.api('POST', '/tasks/nightly/listDetails');
    expect(details.body).toMatchObject({
      identity: { type: 'SystemAssigned' },
      properties: {
        step: { contextAccessToken: 'context-token', arguments: [{}, { name: 'B', value: 'sesame' }] },
        trigger: {
          timerTriggers: [{ timeZone: 'Europe/Berlin', catchUp: false }],
          sourceTriggers: [{ sourceRepository: { sourceControlAuthProperties: { tokenType: 'PAT', token: 'pat-1' } } }],
        },
        credentials: { customRegistries: { 'other.example': { password: { type: 'Opaque', value: 'hunter22' } } } },
        webhook: { secrets: ['whsec_1'] },
      },
    });
  });

  it('takes back what listDetails gave, and changes nothing by it', async () => {
    const rig = await startRig();
    await rig.api('PUT', '/tasks/nightly', fullTask());
    const before = (await rig.api('POST', '/tasks/nightly/listDetails')).body as object;
    expect((await rig.api('PUT', '/tasks/nightly', before)).status).toBe(200);
    expect((await rig.api('POST', '/tasks/nightly/listDetails')).body).toEqual(before);
  });

  it('replaces the whole task, but keeps its birthday, its webhook secret, and a secret value that comes without one', async () => {
    const rig = await startRig();
    await rig.api('PUT', '/tasks/nightly', fullTask());
    const before = openTaskSecrets(testKey, (await rig.store.tasks.get('nightly'))?.sealedSecrets);
    rig.clock.advance(1000);
    const next = dockerTask({ arguments: [{ name: 'B', isSecret: true }] });
    const { body } = await rig.api('PUT', '/tasks/Nightly', next);
    expect(body).toMatchObject({ name: 'nightly', tags: {}, systemData: { createdAt: '2026-11-21T09:00:00.000Z' } });
    expect(body.properties.trigger).toEqual({ timerTriggers: [], sourceTriggers: [] });
    expect(openTaskSecrets(testKey, (await rig.store.tasks.get('nightly'))?.sealedSecrets)).toEqual({
      arguments: { B: 'sesame' },
      registries: {},
      sources: {},
      webhook: before.webhook,
    });
  });

  it('makes webhook secrets of 32 random bytes', async () => {
    const rig = await startRig();
    await rig.api('PUT', '/tasks/nightly', fullTask());
    await rig.api('PUT', '/tasks/daily', fullTask());
    const secrets = await Promise.all(
      ['nightly', 'daily'].map(
        async (name) => (await rig.api('POST', `/tasks/${name}/listDetails`)).body.properties.webhook,
      ),
    );
    const all = secrets.flatMap((one: { secrets: string[] }) => one.secrets);
    expect(all.map((one) => /^whsec_[A-Za-z0-9+/]{43}=$/.test(one))).toEqual([true, true]);
    expect(new Set(all).size).toBe(2);
  });

  it('takes the token out of a URL', async () => {
    const rig = await startRig();
    await rig.api('PUT', '/tasks/nightly', dockerTask({ contextPath: 'https://tok@github.com/acme/app.git' }));
    const stored = await rig.store.tasks.get('nightly');
    expect(stored?.step).toMatchObject({
      hasContextToken: true,
      contextPath: 'https://********@github.com/acme/app.git',
    });
    expect(openTaskSecrets(testKey, stored?.sealedSecrets).context).toBe('tok');
  });

  it('is found by its repository afterwards, whatever the case and the port', async () => {
    const rig = await startRig();
    await rig.api('PUT', '/tasks/nightly', fullTask());
    const found = await rig.store.tasks.findByRepository('github.com/acme/app');
    expect(found.map(({ name }) => name)).toEqual(['nightly']);
  });
});

describe('tasks', () => {
  it('are listed by name in pages', async () => {
    const rig = await startRig();
    const names = Array.from({ length: 101 }, (_, at) => `task-${String(at).padStart(3, '0')}`);
    for (const name of names) await rig.api('PUT', `/tasks/${name}`, encodedTask());
    const first = await rig.api('GET', '/tasks?api-version=2019-06-01-preview');
    expect(first.body.value.map((one: { name: string }) => one.name)).toEqual(names.slice(0, 100));
    const rest = await rig.api('GET', first.body.nextLink.replace(`${rig.url}/api/v1`, ''));
    expect(rest.body.value.map((one: { name: string }) => one.name)).toEqual(names.slice(100));
    expect(rest.body).not.toHaveProperty('nextLink');
    const top = await rig.api('GET', '/tasks?$top=2');
    expect(top.body).toMatchObject({ value: [{ name: 'task-000' }, { name: 'task-001' }] });
    expect(top.body).not.toHaveProperty('nextLink');
  });

  it('can be deleted, once or twice', async () => {
    const rig = await startRig();
    await rig.api('PUT', '/tasks/nightly', dockerTask());
    expect((await rig.api('DELETE', '/tasks/nightly')).status).toBe(200);
    expect((await rig.api('DELETE', '/tasks/nightly')).status).toBe(204);
    expect((await rig.api('GET', '/tasks/nightly')).status).toBe(404);
    expect((await rig.api('PATCH', '/tasks/nightly', {})).status).toBe(404);
    expect((await rig.api('POST', '/tasks/nightly/listDetails')).status).toBe(404);
  });

  it('tell who follows them of each change, after it', async () => {
    const seen: (readonly [number | undefined, number | undefined])[] = [];
    const onTaskChanged = async (before: Task | undefined, after: Task | undefined) =>
      void seen.push([before?.version, after?.version]);
    const rig = await startRig({ onTaskChanged });
    await rig.api('PUT', '/tasks/nightly', dockerTask());
    await rig.api('PATCH', '/tasks/nightly', { properties: { status: 'Disabled' } });
    await rig.api('DELETE', '/tasks/nightly');
    await rig.api('DELETE', '/tasks/nightly');
    expect(seen).toEqual([
      [undefined, 1],
      [1, 2],
      [2, undefined],
    ]);
  });

  it('are not deleted where nobody can be told of it before', async () => {
    let isAway = true;
    const seen: string[] = [];
    const onTaskDeleting = async ({ name }: Task) => {
      if (isAway) throw fail('storage-unavailable', 'the disk is away');
      seen.push(name);
    };
    const rig = await startRig({ onTaskDeleting });
    await rig.api('PUT', '/tasks/nightly', dockerTask());
    expect((await rig.api('DELETE', '/tasks/nightly')).status).toBe(503);
    expect((await rig.api('GET', '/tasks/nightly')).status).toBe(200);
    isAway = false;
    expect((await rig.api('DELETE', '/tasks/nightly')).status).toBe(200);
    expect((await rig.api('DELETE', '/tasks/nightly')).status).toBe(204);
    expect(seen).toEqual(['nightly']);
  });

  it('are changed only as the version that the client means', async () => {
    const rig = await startRig();
    const put = (headers: Record<string, string>) => rig.api('PUT', '/tasks/nightly', dockerTask(), headers);
    expect((await put({ 'if-match': '*' })).status).toBe(412);
    expect((await put({ 'if-none-match': '*' })).status).toBe(200);
    expect((await put({ 'if-none-match': '*' })).status).toBe(412);
    expect((await put({ 'if-match': '"1"' })).headers.get('etag')).toBe('"2"');
    const late = await put({ 'if-match': '"1"' });
    expect([late.status, late.body.error.code]).toEqual([412, 'PreconditionFailed']);
    const remove = await rig.api('DELETE', '/tasks/nightly', undefined, { 'if-match': '"1"' });
    expect(remove.status).toBe(412);
  });

  it('take changes from two hands at the same time', async () => {
    const rig = await startRig();
    await rig.api('PUT', '/tasks/nightly', dockerTask());
    const names = ['a1', 'b2', 'c3', 'd4'];
    const answers = await Promise.all(
      names.map((name) => {
        const timerTriggers = [{ name, schedule: '0 3 * * *' }];
        return rig.api('PATCH', '/tasks/nightly', { properties: { trigger: { timerTriggers } } });
      }),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { trigger } = (await rig.api('GET', '/tasks/nightly')).body.properties;
    expect(trigger.timerTriggers.map((one: { name: string }) => one.name).sort()).toEqual(names);
  });
});

describe('the secret of a webhook', () => {
  it('is rotated with two good ones in between', async () => {
    let count = 0;
    const rig = await startRig({ newSecret: () => `whsec_${(count += 1)}` });
    await rig.api('PUT', '/tasks/nightly', fullTask());
    const rotate = async (query = '') => (await rig.api('POST', `/tasks/nightly/regenerateWebhookSecret${query}`)).body;
    const url = `${rig.url}/hooks/git/nightly`;
    expect(await rotate()).toEqual({ url, secrets: ['whsec_2', 'whsec_1'] });
    expect(await rotate()).toEqual({ url, secrets: ['whsec_3', 'whsec_2'] });
    expect(await rotate('?revokeOld=true')).toEqual({ url, secrets: ['whsec_3'] });
    expect(await rotate('?revokeOld=true')).toEqual({ url, secrets: ['whsec_4'] });
    const { webhook } = (await rig.api('POST', '/tasks/nightly/listDetails')).body.properties;
    expect(webhook).toEqual({ url, secrets: ['whsec_4'] });
  });
});
