import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import type { RunCause } from '../../src/domain/run-cause.ts';
import { openTaskSecrets } from '../../src/trigger/sealed-secrets.ts';
import { encodedTaskRequest, testKey } from './rig.ts';
import { encodedTask } from './task-bodies.ts';
import { event, runOf, schedule, scheduled, secretsOf, startWithTask, upload } from './task-runs.ts';

describe('a run of a task by hand', () => {
  it('does what the task says, with its secrets', async () => {
    const rig = await startWithTask();
    const { status, body } = await schedule(rig);
    expect(status).toBe(200);
    expect(body.properties).toMatchObject({
      runType: 'AutoBuild',
      task: 'nightly',
      agentPoolName: 'big',
      cause: { kind: 'manual', by: 'admin' },
    });
    const run = await runOf(rig);
    expect(run).toMatchObject({ task: 'nightly', pool: 'big', maxConcurrent: 2 });
    expect(run.request).toMatchObject({ type: 'DockerBuildRequest', target: 'final', timeout: 600 });
    expect(secretsOf(run)).toEqual({
      source: 'context-token',
      arguments: { B: 'sesame' },
      registries: { 'other.example': 'hunter22' },
    });
  });

  it('takes the resource id, in any case', async () => {
    const rig = await startWithTask();
    const { id } = (await rig.api('GET', '/tasks/nightly')).body;
    expect((await schedule(rig, { type: 'taskrunrequest', taskId: String(id).toUpperCase() })).status).toBe(200);
  });

  it('keeps an updateTriggerToken with the task, the last one given, and shows it nowhere', async () => {
    const rig = await startWithTask();
    const before = (await rig.api('POST', '/tasks/nightly/listDetails')).body;
    for (const token of ['Zmlyc3Q=', 'bGFzdA==']) {
      const answer = await schedule(rig, { overrideTaskStepProperties: { updateTriggerToken: token } });
      expect(answer.status).toBe(200);
      expect(JSON.stringify(answer.body)).not.toMatch(/Zmlyc3Q|bGFzdA/);
    }
    const kept = async () => openTaskSecrets(testKey, (await rig.store.tasks.get('nightly'))?.sealedSecrets);
    expect(await kept()).toMatchObject({ updateToken: 'bGFzdA==', context: 'context-token' });
    await schedule(rig);
    await rig.api('PATCH', '/tasks/nightly', { properties: { timeout: 900 } });
    expect((await kept()).updateToken).toBe('bGFzdA==');
    const after = (await rig.api('POST', '/tasks/nightly/listDetails')).body;
    expect({ ...after.properties, timeout: 600 }).toEqual(before.properties);
  });

  it('takes overrides: file, target, arguments by name, secrets, and an uploaded context', async () => {
    const rig = await startWithTask();
    rig.sink.objects.set(`contexts/${upload}`, Buffer.from('x'));
    const overrideTaskStepProperties = {
      contextPath: upload,
      file: 'other/Dockerfile',
      target: 'test',
      arguments: [
        { name: 'A', value: '2' },
        { name: 'S', value: 'secret-s', isSecret: true },
      ],
      values: [],
    };
    const { status } = await schedule(rig, {
      overrideTaskStepProperties,
      isArchiveEnabled: true,
      agentPoolName: 'default',
    });
    expect(status).toBe(200);
    const run = await runOf(rig);
    expect(run.request).toMatchObject({
      sourceLocation: upload,
      dockerFilePath: 'other/Dockerfile',
      target: 'test',
      isArchiveEnabled: true,
      arguments: [{ name: 'B' }, { name: 'A', value: '2' }, { name: 'S', value: '********' }],
    });
    expect(run.pool).toBeUndefined();
    expect(secretsOf(run)).toEqual({
      arguments: { B: 'sesame', S: 'secret-s' },
      registries: { 'other.example': 'hunter22' },
    });
  });

  it('is made of a disabled task as well: that stops triggers, not people', async () => {
    const rig = await startWithTask(encodedTask({ status: 'Disabled' }));
    const { status, body } = await schedule(rig);
    expect([status, body.properties.runType]).toEqual([200, 'AutoRun']);
  });

  it('is made once for one Idempotency-Key', async () => {
    const rig = await startWithTask(encodedTask());
    const first = await schedule(rig, {}, { 'idempotency-key': 'k' });
    const again = await schedule(rig, {}, { 'idempotency-key': 'k' });
    expect(again.body.name).toBe(first.body.name);
  });

  it('is found by the name of its task', async () => {
    const rig = await startWithTask(encodedTask());
    await schedule(rig);
    await rig.api('POST', '/scheduleRun', encodedTaskRequest());
    const { value } = (await rig.api('GET', "/runs?$filter=TaskName eq 'nightly'")).body;
    expect(value.map((one: { name: string }) => one.name)).toEqual(['ca1']);
  });

  it.each([
    [{ taskId: undefined }, 400, 'taskId', /is missing/],
    [{ taskId: 'unknown-task' }, 404, undefined, /does not exist/],
    [{ taskId: '/subscriptions/s/registries/other/tasks/nightly' }, 400, 'taskId', /another registry/],
    [{ taskId: '/subscriptions/s/registries/slipway/runs/ca1' }, 400, 'taskId', /resource id/],
    [{ overrideTaskStepProperties: { arg: [] } }, 400, 'overrideTaskStepProperties.arg', /did you mean/],
    [
      { overrideTaskStepProperties: { values: [{ name: 'a', value: 'b' }] } },
      400,
      'overrideTaskStepProperties.values',
      /takes arguments, not values/,
    ],
    [{ overrideTaskStepProperties: { contextPath: upload } }, 400, 'sourceLocation', /nothing was uploaded/],
    [{ logTemplate: 'x' }, 400, 'logTemplate', /not supported/],
    [
      { overrideTaskStepProperties: { updateTriggerToken: 'no base64' } },
      400,
      'overrideTaskStepProperties.updateTriggerToken',
      /cannot have/,
    ],
    [{ agentPoolName: 'small' }, 400, 'agentPoolName', /no agent pool/],
  ])('with %j is refused', async (more, status, target, message) => {
    const rig = await startWithTask();
    const answer = await schedule(rig, more);
    expect([answer.status, answer.body.error.target]).toEqual([status, target]);
    expect(answer.body.error.message).toMatch(message);
    expect(rig.queue.waiting).toEqual([]);
  });
});

describe("a run's document says what made it", () => {
  it.each<[RunCause, object]>([
    [
      event,
      {
        sourceTrigger: {
          id: 'delivery-1',
          eventType: 'pullrequest',
          commitId: 'a'.repeat(40),
          pullRequestId: '7',
          repositoryUrl: 'https://github.com/acme/app.git',
          branchName: 'fix',
          providerType: 'github',
        },
        cause: { kind: 'source', trigger: 'onpush', ref: 'refs/pull/7/head', by: 'eve', isTrusted: false },
      },
    ],
    [
      { kind: 'timer', timerTriggerName: 't1', scheduleOccurrence: '2026-11-21T03:00:00.000Z' },
      {
        timerTrigger: { timerTriggerName: 't1', scheduleOccurrence: '2026-11-21T03:00:00.000Z' },
        cause: { kind: 'timer' },
      },
    ],
    [
      { kind: 'image-update', id: 'u1', timestamp: '2026-11-21T03:00:00.000Z', images: [] },
      {
        imageUpdateTrigger: { id: 'u1', timestamp: '2026-11-21T03:00:00.000Z', images: [] },
        cause: { kind: 'image-update' },
      },
    ],
  ])('%j', async (cause, expected) => {
    const rig = await startWithTask(encodedTask());
    const { request } = await scheduled(rig);
    const { run } = await rig.store.runs.create({ runType: 'AutoRun', request, cause });
    const { properties } = (await rig.api('GET', `/runs/${run.runId}`)).body;
    const shown = Object.fromEntries(
      Object.entries(properties as object).filter(([name]) => /Trigger$|^cause$/.test(name)),
    );
    expect(shown).toEqual(expected);
  });
});

describe('a run that waits', () => {
  it('says that no worker of its pool is connected, or that its task is at its limit', async () => {
    const rig = await startWithTask(encodedTask({ maxConcurrentRuns: 1 }));
    await schedule(rig);
    await schedule(rig);
    await rig.store.runs.begin('ca1' as RunId, 'w1');
    await rig.queue.remove('ca2' as RunId);
    const waiting = async (id: string) => (await rig.api('GET', `/runs/${id}`)).body.properties.waiting;
    expect((await waiting('ca2')).reason).toBe('its task has 1 run at work, and not more than 1 at a time');
    await rig.store.workers.leave('w2');
    expect((await waiting('ca2')).reason).toBe('no worker is connected');
    const { body } = await schedule(rig, { agentPoolName: 'big' });
    await rig.store.workers.leave('w1');
    expect((await waiting(body.name)).reason).toBe('no worker of pool big is connected');
  });
});
