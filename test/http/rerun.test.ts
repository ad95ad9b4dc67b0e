import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
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
    expect((await rerun(rig, 'ca1', { fromFailed: true })).body.error.target).toBe('fromFailed');
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
