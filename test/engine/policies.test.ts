import { describe, expect, it } from 'vitest';
import type { CmdStep } from '../../src/domain/step.ts';
import { applyPolicies } from '../../src/engine/policies.ts';
import { createManualTimer } from '../rig/steps.ts';
import { failed, noTryLog, recordIo, scriptTries, settle, succeeded, tried, type ScriptedTry } from './tries.ts';

function start(step: CmdStep, ...script: ScriptedTry[]) {
  const { runTry, attempts } = scriptTries(...script);
  const time = createManualTimer();
  const started: string[] = [];
  const runStep = applyPolicies(runTry, {
    timer: time.timer,
    ioOf: () => recordIo(),
    onStart: (one) => started.push(one.id),
    tries: noTryLog,
    elapsedMs: () => undefined,
  });
  return { attempts, time, started, done: runStep(step, new AbortController().signal) };
}

describe('the policies together', () => {
  it('have one deadline over all retries and their delays', async () => {
    const run = start(tried({ retries: 5 }, { timeoutSeconds: 12 }), failed(1), failed(1), failed(1));
    for (const ms of [0, 5000, 5000, 2000]) {
      run.time.pass(ms);
      await settle();
    }
    expect(await run.done).toEqual({ kind: 'timed-out', afterMs: 12_000 });
    expect(run.attempts).toEqual([1, 2, 3]);
    expect(run.time.armed()).toBe(0);
  });

  it('have one deadline over all repeats', async () => {
    const run = start(tried({ repeat: 3 }, { timeoutSeconds: 5 }), failed(1), 'wait');
    await settle();
    run.time.pass(5000);
    expect(await run.done).toEqual({ kind: 'timed-out', afterMs: 5000 });
    expect(run.attempts).toEqual([1, 2]);
  });

  it('count neither the deadline nor the start while the start is delayed', async () => {
    const run = start(tried({}, { timeoutSeconds: 5, startDelaySeconds: 60 }), 'wait');
    run.time.pass(59_999);
    await settle();
    expect(run.started).toEqual([]);
    run.time.pass(1);
    await settle();
    expect(run.started).toEqual(['work']);
    run.time.pass(4999);
    await settle();
    run.time.pass(1);
    expect(await run.done).toEqual({ kind: 'timed-out', afterMs: 5000 });
  });

  it('start a step once, however often it is tried', async () => {
    const step = tried({ retries: 1, retryDelaySeconds: 0, repeat: 1 });
    const run = start(step, failed(1), succeeded, failed(1), succeeded);
    expect(await run.done).toEqual(succeeded);
    expect(run.attempts).toEqual([1, 2, 3, 4]);
    expect(run.started).toEqual(['work']);
  });
});
