import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/domain/event.ts';
import type { RunId } from '../../src/domain/run.ts';
import { runPlan } from '../../src/engine/run.ts';
import { stop } from '../../src/engine/stop.ts';
import { aPlan, aStep, createManualTimer, createStage, nothingRemains } from '../rig/steps.ts';

function start(plan = aPlan(aStep('build')), timeoutMs = 10_000) {
  const stage = createStage();
  const time = createManualTimer();
  const controller = new AbortController();
  const events: RunEvent[] = [];
  const calls: string[] = [];
  const done = runPlan({
    plan,
    setup: { runId: 'ca1' as RunId, attempt: 1, registryCredentials: {} },
    runner: {
      prepare: () => {
        calls.push('prepare');
        return Promise.resolve({
          run: (step, io, signal) => {
            io.output('stdout', `hello from ${step.id}`);
            return stage.runStep(step, signal);
          },
          dispose: () => {
            calls.push('dispose');
            return Promise.resolve();
          },
          abandon: () => calls.push('abandon'),
        });
      },
      holds: () => Promise.resolve(false),
      ...nothingRemains,
    },
    timeoutMs,
    timer: time.timer,
    clock: { now: () => 0 },
    signal: controller.signal,
    emit: (event) => events.push(event),
  });
  done.catch(() => undefined);
  return { stage, time, controller, events, calls, done, tick: () => new Promise(setImmediate) };
}

describe('a run', () => {
  it('succeeds when all its steps do, and tells everything in order', async () => {
    const run = start();
    await run.tick();
    await run.stage.end('build');
    expect(await run.done).toEqual({ status: 'Succeeded' });
    expect(run.events.map((event) => event.kind)).toEqual(['run-planned', 'step-started', 'output', 'step-ended']);
    expect(run.calls).toEqual(['prepare', 'dispose']);
    expect(run.time.armed()).toBe(0);
  });

  it('fails with the step and its message', async () => {
    const run = start();
    await run.tick();
    await run.stage.end('build', { kind: 'failed', exitCode: 2, message: 'RUN false failed' });
    expect(await run.done).toEqual({
      status: 'Failed',
      message: 'step build failed: RUN false failed; its last lines:\n  hello from build',
      failed: { step: 'build', exitCode: 2 },
    });
    expect(run.calls).toEqual(['prepare', 'dispose']);
  });

  it('is stopped by its own timeout', async () => {
    const run = start();
    await run.tick();
    run.time.pass(10_000);
    expect(await run.done).toEqual({ status: 'Timeout', message: "the run's timeout of 10 s passed" });
  });

  it("is stopped by a step's timeout, which is that step's outcome", async () => {
    const run = start(aPlan(aStep('build', [], { timeoutSeconds: 5 })));
    await run.tick();
    run.time.pass(5000);
    expect(await run.done).toEqual({
      status: 'Timeout',
      message: 'step build was stopped: its timeout of 5 s passed; its last lines:\n  hello from build',
      failed: { step: 'build' },
    });
    expect(run.events.at(-1)).toMatchObject({ kind: 'step-ended', outcome: { kind: 'timed-out', afterMs: 5000 } });
  });

  it('is Canceled by whoever canceled it', async () => {
    const run = start();
    await run.tick();
    stop(run.controller, { kind: 'canceled', by: 'ann' });
    expect(await run.done).toEqual({ status: 'Canceled', message: 'canceled by ann' });
  });

  it('tears down when the runner fails, and passes its error on', async () => {
    const run = start();
    await run.tick();
    await run.stage.crash('build', new Error('engine gone'));
    await expect(run.done).rejects.toThrow('engine gone');
    expect(run.calls).toEqual(['prepare', 'dispose']);
    expect(run.time.armed()).toBe(0);
  });
});
