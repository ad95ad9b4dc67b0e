import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { RunEvent } from '../../src/domain/event.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { Plan } from '../../src/domain/step.ts';
import { createCmdStep, singleAttempt } from '../../src/domain/step-defaults.ts';
import { runPlan } from '../../src/engine/run.ts';
import { stop } from '../../src/engine/stop.ts';
import { createFakeRunner, type FakeScript } from '../../src/runner/fake/index.ts';
import { aPlan, aStep, createManualTimer } from '../rig/steps.ts';
import { failed, settle, succeeded } from './tries.ts';

function start(plan: Plan, script: FakeScript, maxParallel?: number) {
  const runner = createFakeRunner(script);
  const time = createManualTimer();
  const controller = new AbortController();
  const events: RunEvent[] = [];
  const done = runPlan({
    plan,
    setup: { runId: 'ca1' as RunId, attempt: 1, registryCredentials: {} },
    runner,
    timeoutMs: 3_600_000,
    timer: time.timer,
    clock: { now: () => 0 },
    signal: controller.signal,
    emit: (event) => events.push(event),
    ...(maxParallel !== undefined && { maxParallel }),
  });
  return { runner, time, controller, events, done };
}

const endOf = (events: readonly RunEvent[], id: string) =>
  events.find((event) => event.kind === 'step-ended' && event.step === id);

describe('the result of a run', () => {
  it('is Failed by the first step that failed, also when what ran because of it succeeded', async () => {
    const plan = aPlan(aStep('test'), aStep('report', ['test'], { runOn: 'failure' }));
    const { done } = start(plan, { test: failed(3) });
    expect(await done).toEqual({
      status: 'Failed',
      message: 'step test failed: exit code 3',
      failed: { step: 'test', exitCode: 3 },
    });
  });

  it('names the step that failed first in time, not the first of the file', async () => {
    const plan = aPlan(aStep('clean', [], { runOn: 'always' }), aStep('test'));
    const run = start(plan, { clean: 'wait', test: failed(3) });
    (await run.runner.started('clean')).end(failed(9));
    expect(await run.done).toMatchObject({ status: 'Failed', failed: { step: 'test', exitCode: 3 } });
  });

  it('is Succeeded when every failure is ignored, and the log says that it is', async () => {
    const plan = aPlan(aStep('lint', [], { ignoreErrors: true }), aStep('push', ['lint']));
    const { done, events } = start(plan, { lint: failed(3) });
    expect(await done).toEqual({ status: 'Succeeded' });
    expect(endOf(events, 'lint')).toMatchObject({ outcome: failed(3) });
    expect(endOf(events, 'push')).toMatchObject({ outcome: succeeded });
    expect(events).toContainEqual({
      kind: 'output',
      step: 'lint',
      stream: 'system',
      text: 'the failure of this step is ignored (ignoreErrors)',
    });
  });

  it('is Succeeded when a failure handler was not called for', async () => {
    const plan = aPlan(aStep('test'), aStep('report', ['test'], { runOn: 'failure' }));
    expect(await start(plan, {}).done).toEqual({ status: 'Succeeded' });
  });

  it('is Failed when a step was stopped by nobody that we know', async () => {
    const { done } = start(aPlan(aStep('test')), { test: { kind: 'canceled', reason: 'the engine stopped it' } });
    expect(await done).toEqual({
      status: 'Failed',
      message: 'step test was canceled: the engine stopped it',
      failed: { step: 'test' },
    });
  });

  it('is Failed without an exit code where the step had none', async () => {
    const { done } = start(aPlan(aStep('test')), { test: failed(undefined, 'no such image') });
    expect(await done).toMatchObject({ status: 'Failed', failed: { step: 'test' } });
    expect((await done).failed).not.toHaveProperty('exitCode');
  });
});

describe('the steps of a run', () => {
  it('are tried again under new numbers', async () => {
    const step = createCmdStep('work', 'busybox', {
      attempts: { ...singleAttempt, retries: 2, retryDelaySeconds: 0 },
    });
    const { done, runner, events } = start(aPlan(step), (_step, _io, _signal, attempt) =>
      attempt < 3 ? failed(attempt) : succeeded,
    );
    expect(await done).toEqual({ status: 'Succeeded' });
    expect(runner.calls.filter(({ kind }) => kind === 'run')).toEqual([
      { kind: 'run', step },
      { kind: 'run', step, attempt: 2 },
      { kind: 'run', step, attempt: 3 },
    ]);
    expect(events.filter(({ kind }) => kind === 'step-started')).toHaveLength(1);
    expect(events.filter(({ kind }) => kind === 'step-ended')).toHaveLength(1);
  });

  it('start after their delay, and are skipped when the run is canceled before', async () => {
    const { done, time, controller, events } = start(aPlan(aStep('late', [], { startDelaySeconds: 30 })), {});
    await settle();
    time.pass(29_000);
    stop(controller, { kind: 'canceled', by: 'ann' });
    expect(await done).toEqual({ status: 'Canceled', message: 'canceled by ann' });
    expect(events.map(({ kind }) => kind)).toEqual(['run-planned', 'step-ended']);
    expect(endOf(events, 'late')).toMatchObject({ outcome: { kind: 'skipped', because: 'canceled by ann' } });
    expect(time.armed()).toBe(0);
  });

  it('run no more at a time than asked for', async () => {
    const { done, runner, events } = start(aPlan(aStep('a'), aStep('b')), { a: 'wait', b: 'wait' }, 1);
    const first = await runner.started('a');
    await settle();
    expect(events.filter(({ kind }) => kind === 'step-started')).toHaveLength(1);
    first.end();
    (await runner.started('b')).end();
    expect(await done).toEqual({ status: 'Succeeded' });
  });

  it('tell of the images that they pushed', async () => {
    const image = { registry: 'r', repository: 'app', digest: 'sha256:0' as Digest };
    const { done, events } = start(aPlan(aStep('push')), (_step, io) => {
      io.pushed(image);
      return succeeded;
    });
    await done;
    expect(events).toContainEqual({ kind: 'image-pushed', step: 'push', image });
  });

  it('count a detached one as succeeded as soon as it has started', async () => {
    const serve = createCmdStep('serve', 'nginx', { detach: true });
    const { done, events } = start(aPlan(serve, aStep('test', ['serve'])), { serve: succeeded });
    expect(await done).toEqual({ status: 'Succeeded' });
    expect(endOf(events, 'serve')).toMatchObject({ outcome: succeeded });
  });
});
