import { describe, expect, it } from 'vitest';
import type { RunCause } from '../../src/domain/run-cause.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { StepId } from '../../src/domain/step.ts';
import { buildRequest } from './rig.ts';
import { dockerTask, encodedTask } from './task-bodies.ts';
import { event, runOf, schedule, scheduled, secretsOf, startWithTask, upload, type Rig } from './task-runs.ts';

async function finish(rig: Rig, id = 'ca1'): Promise<void> {
  await rig.store.runs.end(id as RunId, 'Error', 'the worker was lost');
}

function rerun(rig: Rig, id = 'ca1', body: unknown = {}, headers: Record<string, string> = {}) {
  return rig.api('POST', `/runs/${id}/rerun`, body, headers);
}

describe('a rerun', () => {
  it('of a quick build does the same again, and says what it repeats', async () => {
    const rig = await startWithTask();
    await rig.api('POST', '/scheduleRun', buildRequest({ arguments: [{ name: 'A', value: '1' }] }));
    await finish(rig);
    const { status, body } = await rerun(rig);
    expect([status, body.properties.runType, body.properties.cause]).toEqual([
      200,
      'QuickBuild',
      { kind: 'manual', by: 'admin', rerunOf: 'ca1' },
    ]);
    expect((await runOf(rig, 'ca2')).request).toEqual((await runOf(rig)).request);
    expect(rig.queue.waiting).toContain('ca2');
  });

  it('of a task keeps what the run was asked for, and takes the secrets that the task has now', async () => {
    const rig = await startWithTask();
    await schedule(rig, { overrideTaskStepProperties: { target: 'test' } });
    await finish(rig);
    const step = {
      contextAccessToken: 'new-token',
      target: 'final2',
      arguments: [{ name: 'B', value: 'new', isSecret: true }],
    };
    await rig.api('PATCH', '/tasks/nightly', { properties: { step } });
    expect((await rerun(rig)).status).toBe(200);
    const run = await runOf(rig, 'ca2');
    expect(run).toMatchObject({ task: 'nightly', maxConcurrent: 2, request: { target: 'test' } });
    expect(secretsOf(run)).toEqual({
      source: 'new-token',
      arguments: { B: 'new' },
      registries: { 'other.example': 'hunter22' },
    });
  });

  it.each([
    ['a secret argument', buildRequest({ arguments: [{ name: 'S', value: 'x', isSecret: true }] }), /secret value S/],
    [
      'a password',
      buildRequest({
        credentials: { customRegistries: { 'o.example': { userName: { value: 'a' }, password: { value: 'b' } } } },
      }),
      /password for o\.example/,
    ],
    ['a token', buildRequest({ sourceLocation: 'https://tok@example.com/app.git' }), /token for the source/],
  ])('of a quick build that had %s is refused, because it was forgotten', async (_, body, message) => {
    const rig = await startWithTask();
    await rig.api('POST', '/scheduleRun', body);
    await finish(rig);
    const answer = await rerun(rig);
    expect([answer.status, answer.body.error.hint]).toEqual([409, 'submit it again with its secrets']);
    expect(answer.body.error.message).toMatch(message);
  });

  it('of a task that is gone is refused when the run had secrets', async () => {
    const rig = await startWithTask();
    await schedule(rig);
    await finish(rig);
    await rig.api('DELETE', '/tasks/nightly');
    expect((await rerun(rig)).status).toBe(409);
  });

  it('is refused while the run goes on, without its upload, and for no run', async () => {
    const rig = await startWithTask();
    rig.sink.objects.set(`contexts/${upload}`, Buffer.from('x'));
    await rig.api('POST', '/scheduleRun', buildRequest({ sourceLocation: upload }));
    expect((await rerun(rig)).body.error).toMatchObject({
      code: 'Conflict',
      message: expect.stringMatching(/is not over/),
    });
    await finish(rig);
    rig.sink.objects.clear();
    expect((await rerun(rig)).body.error.message).toMatch(/nothing was uploaded/);
    expect((await rerun(rig, 'zz9')).status).toBe(404);
    expect((await rerun(rig, 'ca1', { fromfailed: 1 })).body.error.target).toBe('fromfailed');
    expect((await rerun(rig, 'ca1', { fromFailed: 'yes' })).body.error.target).toBe('fromFailed');
  });

  it('is made once for one Idempotency-Key and run', async () => {
    const rig = await startWithTask(encodedTask());
    await schedule(rig);
    await schedule(rig);
    await finish(rig, 'ca1');
    await finish(rig, 'ca2');
    const names = [];
    for (const id of ['ca1', 'ca1', 'ca2'])
      names.push((await rerun(rig, id, undefined, { 'idempotency-key': 'k' })).body.name);
    expect(names).toEqual(['ca3', 'ca3', 'ca4']);
  });

  it("of a stranger's pull request is still a stranger's, with the branch and commit that it had", async () => {
    const rig = await startWithTask(dockerTask());
    const { request } = await scheduled(rig);
    const { run } = await rig.store.runs.create({
      runType: 'AutoBuild',
      request,
      task: 'nightly' as never,
      cause: event,
    });
    await finish(rig, run.runId);
    const { body } = await rerun(rig, run.runId);
    expect(body.properties.cause).toMatchObject({ kind: 'source', isTrusted: false, rerunOf: run.runId });
    expect((await runOf(rig, body.name)).cause).toMatchObject(event);
  });
});

/** A run that has got as far as a step, and has failed there. */
async function failAtStep(rig: Rig, status: 'Failed' | 'Succeeded' = 'Failed', cause?: RunCause): Promise<string> {
  const { request } = await scheduled(rig);
  const { runs } = rig.store;
  const { run } = await runs.create({ runType: 'AutoRun', request, task: 'nightly' as never, ...(cause && { cause }) });
  const begun = await runs.begin(run.runId, 'w1');
  const steps = [{ id: 'build' as StepId, kind: 'build' as const }];
  await runs.append(run.runId, begun!.attempt, [
    { kind: 'run-planned', steps },
    { kind: 'run-ended', status },
  ]);
  return run.runId;
}

describe('a rerun from the failed step', () => {
  it('asks for the same, and says from which run it goes on', async () => {
    const rig = await startWithTask(encodedTask());
    const id = await failAtStep(rig);
    await rig.store.runs.keepPlan(id as RunId, 'sealed');
    const { status, body } = await rerun(rig, id, { fromFailed: true });
    expect([status, body.properties.cause]).toEqual([
      200,
      { kind: 'manual', by: 'admin', rerunOf: id, fromFailed: true },
    ]);
    const made = await runOf(rig, body.name);
    expect(made.request).toEqual((await runOf(rig, id)).request);
    expect(rig.queue.waiting).toContain(body.name);
  });

  it('of what a forge began is still that, and a whole rerun of it begins at the beginning', async () => {
    const rig = await startWithTask(dockerTask());
    const id = await failAtStep(rig, 'Failed', event);
    await rig.store.runs.keepPlan(id as RunId, 'sealed');
    const { body } = await rerun(rig, id, { fromFailed: true });
    expect(body.properties.cause).toMatchObject({ kind: 'source', isTrusted: false, rerunOf: id, fromFailed: true });
    await finish(rig, body.name);
    const whole = await rerun(rig, body.name);
    expect(whole.body.properties.cause).toMatchObject({ kind: 'source', rerunOf: body.name });
    expect(whole.body.properties.cause.fromFailed).toBeUndefined();
  });

  it.each([
    ['succeeded', (rig: Rig) => failAtStep(rig, 'Succeeded'), /succeeded: there is no failed step/],
    ['ended too long ago', (rig: Rig) => failAtStep(rig), /ended too long ago/],
    [
      'never got as far as its steps',
      async (rig: Rig) => {
        const { runId } = await scheduled(rig);
        await finish(rig, runId);
        return runId;
      },
      /never got as far as its steps/,
    ],
  ])('is refused when the run %s, with the way that is left', async (_, make, message) => {
    const rig = await startWithTask(encodedTask());
    const id = await make(rig);
    const { status, body } = await rerun(rig, id, { fromFailed: true });
    expect([status, body.error.code, body.error.target]).toEqual([409, 'Conflict', 'fromFailed']);
    expect(body.error.message).toMatch(message);
    expect(body.error.hint).toBe(`run it again whole: slipway runs rerun ${id}`);
    expect((await rerun(rig, id)).status).toBe(200);
  });

  it('is refused while the run goes on', async () => {
    const rig = await startWithTask(encodedTask());
    const { runId } = await scheduled(rig);
    expect((await rerun(rig, runId, { fromFailed: true })).body.error.message).toMatch(/is not over/);
  });

  it('is not taken for a whole one with the same Idempotency-Key', async () => {
    const rig = await startWithTask(encodedTask());
    const id = await failAtStep(rig);
    await rig.store.runs.keepPlan(id as RunId, 'sealed');
    const names = [];
    for (const body of [{ fromFailed: true }, { fromFailed: true }, {}])
      names.push((await rerun(rig, id, body, { 'idempotency-key': 'k' })).body.name);
    expect(new Set(names).size).toBe(2);
    expect(names[0]).toBe(names[1]);
  });
});
