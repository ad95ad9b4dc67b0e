import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import type { RunId } from '../../src/domain/run.ts';
import { openRequestSecrets } from '../../src/trigger/sealed-secrets.ts';
import { buildRequest, startRig, testKey, workingWorker } from './rig.ts';

describe('scheduleRun', () => {
  it('makes a queued run and answers with its document', async () => {
    const rig = await startRig();
    await rig.store.workers.beat(workingWorker());
    const { status, body } = await rig.api('POST', '/scheduleRun', buildRequest());
    expect(status).toBe(200);
    expect(body).toEqual({
      id: '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/slipway/providers/Microsoft.ContainerRegistry/registries/slipway/runs/ca1',
      name: 'ca1',
      type: 'Microsoft.ContainerRegistry/registries/runs',
      properties: {
        runId: 'ca1',
        status: 'Queued',
        runType: 'QuickBuild',
        createTime: '2026-11-21T09:00:00.000Z',
        lastUpdatedTime: '2026-11-21T09:00:00.000Z',
        platform: { os: 'linux' },
        agentConfiguration: {},
        sourceRegistryAuth: 'Default',
        provisioningState: 'Succeeded',
        isArchiveEnabled: false,
        steps: [],
        attempt: 0,
        cause: { kind: 'manual', by: 'admin' },
        waiting: { position: 1, reason: 'a worker is about to take it' },
      },
    });
    expect(rig.queue.waiting).toEqual(['ca1']);
  });

  it('takes every field of a DockerBuildRequest, with enumerations in any case and nulls as absent', async () => {
    const rig = await startRig();
    const answer = await rig.api('POST', '/scheduleRun', {
      type: 'dockerbuildrequest',
      isArchiveEnabled: true,
      agentPoolName: null,
      timeout: 28800,
      platform: { os: 'Linux', architecture: 'AMD64', variant: null },
      agentConfiguration: { cpu: 4 },
      sourceLocation: 'https://example.com/app.git#main:dir',
      credentials: {
        sourceRegistry: { loginMode: 'default' },
        customRegistries: {
          'other.example:5000': { userName: { value: 'bob', type: 'opaque' }, password: { value: 'hunter22' } },
        },
      },
      imageNames: ['app:{{.Run.ID}}', 'localhost:5080/team/app', 'other.example:5000/app'],
      isPushEnabled: false,
      noCache: true,
      dockerFilePath: 'build/Dockerfile',
      target: 'final',
      arguments: [
        { name: 'A', value: '1' },
        { name: 'B', value: 'sesame', isSecret: true },
      ],
    });
    expect(answer.status).toBe(200);
    const run = await rig.store.runs.get('ca1' as RunId);
    expect(run?.request).toEqual({
      type: 'DockerBuildRequest',
      isArchiveEnabled: true,
      timeout: 28800,
      platform: { os: 'linux', architecture: 'amd64' },
      agentConfiguration: { cpu: 4 },
      sourceLocation: 'https://example.com/app.git#main:dir',
      credentials: {
        sourceRegistry: { loginMode: 'Default' },
        customRegistries: { 'other.example:5000': { userName: 'bob', password: '********' } },
      },
      imageNames: ['app:{{.Run.ID}}', 'localhost:5080/team/app', 'other.example:5000/app'],
      isPushEnabled: false,
      noCache: true,
      dockerFilePath: 'build/Dockerfile',
      target: 'final',
      arguments: [
        { name: 'A', value: '1', isSecret: false },
        { name: 'B', value: '********', isSecret: true },
      ],
    });
  });

  it('fills in defaults; without image names nothing is pushed', async () => {
    const rig = await startRig();
    await rig.api('POST', '/scheduleRun', buildRequest({ imageNames: undefined }));
    await rig.api('POST', '/scheduleRun', buildRequest());
    const first = await rig.store.runs.get('ca1' as RunId);
    const second = await rig.store.runs.get('ca2' as RunId);
    expect(first?.request).toMatchObject({ imageNames: [], isPushEnabled: false, timeout: 3600, noCache: false });
    expect(second?.request).toMatchObject({ imageNames: ['app:v1'], isPushEnabled: true });
  });

  it('keeps secrets sealed, and shows them nowhere', async () => {
    const rig = await startRig();
    const secrets = ['sesame-1', 'hunter-22', 'ghp_token'];
    const answer = await rig.api(
      'POST',
      '/scheduleRun',
      buildRequest({
        sourceLocation: 'https://ghp_token@example.com/app.git',
        arguments: [{ name: 'B', value: 'sesame-1', isSecret: true }],
        credentials: {
          customRegistries: { 'other.example': { userName: { value: 'bob' }, password: { value: 'hunter-22' } } },
        },
      }),
    );
    const run = await rig.store.runs.get('ca1' as RunId);
    const shown = JSON.stringify([answer.body, (await rig.api('GET', '/runs')).body, run, rig.logged]);
    for (const secret of secrets) expect(shown).not.toContain(secret);
    expect(openRequestSecrets(testKey, run?.sealedSecrets ?? '')).toEqual({
      source: 'ghp_token',
      arguments: { B: 'sesame-1' },
      registries: { 'other.example': 'hunter-22' },
    });
  });

  it.each([
    [{ type: undefined }, 'type'],
    [{ type: 'TaskRunRequest' }, 'taskId', /is missing/],
    [{ type: 'DockerBuildRequets' }, 'type', /did you mean DockerBuildRequest/],
    [{ imageName: ['a'] }, 'imageName', /did you mean imageNames/],
    [{ isPushEnable: true }, 'isPushEnable', /did you mean isPushEnabled/],
    [{ logTemplate: 'a:b' }, 'logTemplate', /not supported by this server/],
    [{ imageNames: ['ok', 'No Name'] }, 'imageNames[1]', /no image name/],
    [{ imageNames: ['ok', 7] }, 'imageNames[1]'],
    [{ imageNames: ['app:{{.Run.Nothing}}'] }, 'imageNames[0]', /not known/],
    [{ imageNames: ['elsewhere.example/app'] }, 'imageNames[0]', /no credentials/],
    [{ imageNames: [`app@sha256:${'a'.repeat(64)}`] }, 'imageNames[0]', /digest/],
    [{ timeout: 299 }, 'timeout', />= 300/],
    [{ timeout: 28801 }, 'timeout', /<= 28800/],
    [{ timeout: 3600.5 }, 'timeout', /integer/],
    [{ timeout: '3600' }, 'timeout', /integer/],
    [{ platform: { os: 'windows' } }, 'platform.os', /Linux containers only/],
    [{ platform: { os: 'plan9' } }, 'platform.os', /must be one of linux, windows/],
    [{ platform: { os: 'linux', arch: 'arm64' } }, 'platform.arch', /did you mean architecture/],
    [{ dockerFilePath: undefined }, 'dockerFilePath', /is missing/],
    [{ dockerFilePath: '/etc/passwd' }, 'dockerFilePath'],
    [{ dockerFilePath: 'a/../../b' }, 'dockerFilePath'],
    [{ dockerFilePath: '' }, 'dockerFilePath'],
    [{ target: '--privileged' }, 'target'],
    [{ arguments: [{ name: 'A=B', value: '' }] }, 'arguments[0].name'],
    [{ arguments: [{ value: 'x' }] }, 'arguments[0].name', /is missing/],
    [{ arguments: [{ name: '__proto__', value: 'x', isSecret: true }] }, 'arguments[0].name'],
    [{ sourceLocation: undefined }, 'sourceLocation', /is missing/],
    [{ sourceLocation: 'file:///etc' }, 'sourceLocation'],
    [
      { sourceLocation: 'source/202611210000/0f0f0f0f-0000-4000-8000-000000000000.tar.gz' },
      'sourceLocation',
      /nothing was uploaded/,
    ],
    [{ agentPoolName: 'big-machines' }, 'agentPoolName', /no agent pool/],
    [{ credentials: { customRegistries: { 'a b': {} } } }, 'credentials.customRegistries.a b'],
    [
      { credentials: { customRegistries: { 'x.io': { userName: { value: 'a' } } } } },
      'credentials.customRegistries.x.io.password',
    ],
    [
      {
        credentials: {
          customRegistries: { 'x.io': { userName: { value: 'a' }, password: { value: 'b', type: 'VaultSecret' } } },
        },
      },
      'credentials.customRegistries.x.io.password.value',
    ],
    [
      { credentials: { sourceRegistry: { identity: 'me' } } },
      'credentials.sourceRegistry.identity',
      /managed identities/,
    ],
  ] as const)('refuses %j and names the field', async (change, target, message: RegExp = /./) => {
    const rig = await startRig();
    const answer = await rig.api('POST', '/scheduleRun', buildRequest(change));
    expect([answer.status, answer.body.error.target]).toEqual([400, target]);
    expect(answer.body.error.message).toMatch(message);
    expect((await rig.api('GET', '/runs')).body.value).toEqual([]);
    expect(rig.queue.waiting).toEqual([]);
  });

  it('never repeats a secret in an error', async () => {
    const rig = await startRig();
    const body = buildRequest({ arguments: [{ name: 'A', value: ['sesame'], isSecret: true }] });
    const answer = await rig.api('POST', '/scheduleRun', body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).not.toContain('sesame');
  });
});

describe('an Idempotency-Key', () => {
  const key = { 'Idempotency-Key': 'build-7' };

  it('brings a repeated request to the same run, however often', async () => {
    const rig = await startRig();
    const answers = await Promise.all([1, 2, 3, 4].map(() => rig.api('POST', '/scheduleRun', buildRequest(), key)));
    expect(answers.map(({ status, body }) => [status, body.name])).toEqual(Array(4).fill([200, 'ca1']));
    expect(rig.queue.waiting).toEqual(['ca1']);
  });

  it('is refused for another request, also when only a secret differs', async () => {
    const rig = await startRig();
    const withSecret = (value: string) => buildRequest({ arguments: [{ name: 'A', value, isSecret: true }] });
    await rig.api('POST', '/scheduleRun', withSecret('one'), key);
    const other = await rig.api('POST', '/scheduleRun', buildRequest({ noCache: true }), key);
    expect([other.status, other.body.error.target]).toEqual([409, 'Idempotency-Key']);
    expect((await rig.api('POST', '/scheduleRun', withSecret('two'), key)).status).toBe(409);
    expect((await rig.api('POST', '/scheduleRun', withSecret('one'), key)).status).toBe(200);
  });

  it('belongs to its caller', async () => {
    let name = 'ann';
    const rig = await startRig({ authenticate: async () => ({ name }) });
    const first = await rig.api('POST', '/scheduleRun', buildRequest(), key);
    name = 'bob';
    const second = await rig.api('POST', '/scheduleRun', buildRequest(), key);
    expect([first.body.name, second.body.name]).toEqual(['ca1', 'ca2']);
  });

  it('must be printable and not too long', async () => {
    const rig = await startRig();
    for (const bad of ['x'.repeat(201), 'caf\u00e9', ' ']) {
      const answer = await rig.api('POST', '/scheduleRun', buildRequest(), { 'Idempotency-Key': bad });
      expect([answer.status, answer.body.error.target]).toEqual([400, 'Idempotency-Key']);
    }
  });
});

describe('the workers', () => {
  it('that all say their engine is down make scheduleRun answer 503 with the reason', async () => {
    const rig = await startRig();
    const engine = { ok: false, reason: 'cannot connect to the engine' } as const;
    await rig.store.workers.beat(workingWorker('w1', { engine }));
    const answer = await rig.api('POST', '/scheduleRun', buildRequest());
    expect([answer.status, answer.body.error.code]).toEqual([503, 'EngineUnavailable']);
    expect(answer.body.error.message).toContain('w1: cannot connect to the engine');
    await rig.store.workers.beat(workingWorker('w2'));
    expect((await rig.api('POST', '/scheduleRun', buildRequest())).status).toBe(200);
  });

  it('may come later: the run is accepted, and says in its document and its log that it waits', async () => {
    const rig = await startRig();
    const { body } = await rig.api('POST', '/scheduleRun', buildRequest());
    expect(body.properties.waiting).toEqual({ position: 1, reason: 'no worker is connected' });
    const log = await rig.api('GET', '/runs/ca1/log');
    expect(log.body).toBe('Queued a run with ID: ca1\nWaiting for a worker: no worker is connected\n');
  });

  it('are listed', async () => {
    const rig = await startRig();
    await rig.store.workers.beat(workingWorker('w1'));
    expect((await rig.api('GET', '/workers')).body).toEqual({ value: [workingWorker('w1')] });
  });
});

describe('a queue that fails when the run is stored already', () => {
  it('costs nothing: the run is accepted, left for the sweeper, and queued by a repeated request', async () => {
    const rig = await startRig();
    rig.queue.failWith = fail('redis-unavailable', 'Redis cannot be reached');
    const key = { 'Idempotency-Key': 'k' };
    expect((await rig.api('POST', '/scheduleRun', buildRequest(), key)).status).toBe(200);
    expect(rig.logged.some(({ level, message }) => level === 'warn' && message.includes('ca1'))).toBe(true);
    expect(rig.queue.waiting).toEqual([]);
    rig.queue.failWith = undefined;
    const again = await rig.api('POST', '/scheduleRun', buildRequest(), key);
    expect([again.body.name, rig.queue.waiting]).toEqual(['ca1', ['ca1']]);
  });
});
