import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/domain/step.ts';
import { createPushStep } from '../../../src/domain/step-defaults.ts';
import { withRepeat } from '../../../src/engine/policy/repeat.ts';
import { withRetry } from '../../../src/engine/policy/retry.ts';
import { stop } from '../../../src/engine/stop.ts';
import { createManualTimer } from '../../rig/steps.ts';
import { failed, noTryLog, recordIo, scriptTries, settle, succeeded, tried, type ScriptedTry } from '../tries.ts';

function start(step: Step, ...script: ScriptedTry[]) {
  const { runTry, attempts } = scriptTries(...script);
  const controller = new AbortController();
  const repeated = withRepeat(withRetry(runTry, createManualTimer().timer, noTryLog));
  return { attempts, controller, done: repeated(step, recordIo(), controller.signal, 1) };
}

describe('repeats', () => {
  it('runs a step once and as often again as asked for', async () => {
    const run = start(tried({ repeat: 2 }), succeeded, succeeded, succeeded);
    expect(await run.done).toEqual(succeeded);
    expect(run.attempts).toEqual([1, 2, 3]);
  });

  it('goes on after a failed run, and fails with all errors and the first exit code', async () => {
    const run = start(tried({ repeat: 2 }), failed(undefined, 'no image'), succeeded, failed(4));
    expect(await run.done).toEqual(failed(4, 'run 1 of 3: no image, run 3 of 3: exit code 4'));
    expect(run.attempts).toEqual([1, 2, 3]);
  });

  it('fails without an exit code when no run had one', async () => {
    const run = start(tried({ repeat: 1 }), failed(undefined, 'no image'), succeeded);
    expect(await run.done).toEqual(failed(undefined, 'run 1 of 2: no image'));
  });

  it('leaves the outcome of a single run as it is', async () => {
    expect(await start(tried({}), failed(4)).done).toEqual(failed(4));
    expect(await start(createPushStep('push'), succeeded).done).toEqual(succeeded);
  });

  it('has the outputs of the last run', async () => {
    const giving = (tag: string) => ({ kind: 'succeeded', outputs: { tag } }) as const;
    expect(await start(tried({ repeat: 1 }), giving('1'), giving('2')).done).toEqual(giving('2'));
  });

  it('gives every run its own retries, under numbers that no other run has', async () => {
    const step = tried({ repeat: 1, retries: 1, retryDelaySeconds: 0 });
    const run = start(step, succeeded, failed(1), succeeded);
    expect(await run.done).toEqual(succeeded);
    expect(run.attempts).toEqual([1, 3, 4]);
  });

  it('ends with the run that was stopped', async () => {
    const run = start(tried({ repeat: 2 }), failed(1), 'wait');
    await settle();
    stop(run.controller, { kind: 'canceled', by: 'ann' });
    expect(await run.done).toEqual({ kind: 'canceled', reason: 'stopped' });
    expect(run.attempts).toEqual([1, 2]);
  });

  it('starts no further run after it was canceled', async () => {
    const run = start(tried({ repeat: 2 }), () => {
      stop(run.controller, { kind: 'canceled', by: 'ann' });
      return succeeded;
    });
    expect(await run.done).toEqual({ kind: 'canceled', reason: 'canceled by ann' });
    expect(run.attempts).toEqual([1]);
  });
});
