import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/domain/outcome.ts';
import type { Step } from '../../../src/domain/step.ts';
import { createPushStep } from '../../../src/domain/step-defaults.ts';
import { withRetry, type TryLog } from '../../../src/engine/policy/retry.ts';
import type { StepIo } from '../../../src/engine/ports.ts';
import { stop } from '../../../src/engine/stop.ts';
import { createManualTimer } from '../../rig/steps.ts';
import { failed, noTryLog, recordIo, scriptTries, settle, succeeded, tried, type ScriptedTry } from '../tries.ts';

function start(step: Step, ...script: ScriptedTry[]) {
  return startWith({}, step, ...script);
}

function startWith(log: Partial<TryLog>, step: Step, ...script: ScriptedTry[]) {
  const { runTry, attempts } = scriptTries(...script);
  const time = createManualTimer();
  const controller = new AbortController();
  const io = recordIo();
  const done = withRetry(runTry, time.timer, { ...noTryLog, ...log })(step, io, controller.signal, 1);
  done.catch(() => undefined);
  return { attempts, time, controller, io, done };
}

const says = (outcome: Outcome, ...lines: string[]): ScriptedTry => {
  return (io: StepIo) => {
    for (const line of lines) io.output('stderr', line);
    return outcome;
  };
};

describe('retries', () => {
  it('tries a failed step again after the delay, with a new number, until it succeeds', async () => {
    const { attempts, time, io, done } = start(tried({ retries: 3 }), failed(1), failed(2), succeeded);
    await settle();
    expect(attempts).toEqual([1]);
    time.pass(4999);
    await settle();
    expect(attempts).toEqual([1]);
    time.pass(1);
    await settle();
    expect(attempts).toEqual([1, 2]);
    time.pass(5000);
    expect(await done).toEqual(succeeded);
    expect(attempts).toEqual([1, 2, 3]);
    expect(io.lines).toEqual([
      'system: try 1 of 4 failed: exit code 1; the next one starts in 5 s',
      'system: try 2 of 4 failed: exit code 2; the next one starts in 5 s',
    ]);
    expect(time.armed()).toBe(0);
  });

  it('makes no more tries than asked for, and ends as the last one did', async () => {
    const run = start(tried({ retries: 1, retryDelaySeconds: 0 }), failed(1), failed(2));
    expect(await run.done).toEqual(failed(2));
    expect(run.attempts).toEqual([1, 2]);
  });

  it('makes one try of a step without retries', async () => {
    const run = start(tried({}), failed(1));
    expect(await run.done).toEqual(failed(1));
    expect(run.io.lines).toEqual([]);
  });

  it('does not try a stopped step again', async () => {
    const run = start(tried({ retries: 2 }), 'wait');
    stop(run.controller, { kind: 'canceled', by: 'ann' });
    expect(await run.done).toEqual({ kind: 'canceled', reason: 'stopped' });
    expect(run.attempts).toEqual([1]);
  });

  it('stops waiting when it is canceled during the delay', async () => {
    const run = start(tried({ retries: 2 }), failed(1));
    await settle();
    stop(run.controller, { kind: 'canceled', by: 'ann' });
    expect(await run.done).toEqual({ kind: 'canceled', reason: 'canceled by ann' });
    expect(run.attempts).toEqual([1]);
    expect(run.time.armed()).toBe(0);
  });

  it('makes no further try when it is canceled and there is no delay', async () => {
    const run = start(tried({ retries: 2, retryDelaySeconds: 0 }), () => {
      stop(run.controller, { kind: 'canceled', by: 'ann' });
      return failed(1);
    });
    expect(await run.done).toEqual({ kind: 'canceled', reason: 'canceled by ann' });
    expect(run.io.lines).toEqual([]);
  });

  it('passes on what the runner threw, without another try', async () => {
    const run = start(tried({ retries: 2 }), () => {
      throw new Error('engine gone');
    });
    await expect(run.done).rejects.toThrow('engine gone');
    expect(run.attempts).toEqual([1]);
  });

  it('leaves the tries of a push to the push', async () => {
    const run = start(createPushStep('push', { images: ['a/b:1'] }), failed(undefined, 'no'));
    expect(await run.done).toEqual(failed(undefined, 'no'));
    expect(run.attempts).toEqual([1]);
  });
});

describe('retryOnErrors', () => {
  const step = tried({ retries: 3, retryDelaySeconds: 0, retryOnErrors: ['connection reset', 'try\nlater'] });

  it('tries again only after an output that has one of the texts', async () => {
    const run = start(step, says(failed(1), 'read: connection reset by peer'), says(failed(2), 'no such file'));
    expect(await run.done).toEqual(failed(2));
    expect(run.attempts).toEqual([1, 2]);
    expect(run.io.lines).toContain('stderr: no such file');
  });

  it('looks at the output of the last try alone', async () => {
    const run = start(step, says(failed(1), 'connection reset'), says(failed(1)));
    await run.done;
    expect(run.attempts).toEqual([1, 2]);
  });

  it('finds a text that goes over lines, and one that is in the message of the failure', async () => {
    const run = start(
      step,
      says(failed(1), 'please try', 'later'),
      failed(125, 'pull failed: connection reset'),
      succeeded,
    );
    expect(await run.done).toEqual(succeeded);
  });

  it('does not join streams, and does not look at what Slipway itself writes', async () => {
    const run = start(step, (io) => {
      io.output('stdout', 'try');
      io.output('stderr', 'later');
      io.output('system', 'connection reset');
      return failed(1);
    });
    expect(await run.done).toEqual(failed(1));
    expect(run.attempts).toEqual([1]);
  });

  it('lets pushed images through', async () => {
    const run = start(step, (io) => {
      io.pushed({ registry: 'r', repository: 'app', digest: 'sha256:0' as never });
      return succeeded;
    });
    await run.done;
    expect(run.io.images).toEqual(['app']);
  });
});

describe('retries of a step that was taken up again', () => {
  const past = (...ended: { outcome: Outcome; isRetried: boolean }[]): Partial<TryLog> => ({
    past: (_step, number) => ended[number - 1],
  });

  it('go on with the try after the last one that ended, without waiting again', async () => {
    const log = past({ outcome: failed(1), isRetried: true }, { outcome: failed(1), isRetried: true });
    const run = startWith(log, tried({ retries: 2 }), succeeded);
    expect(await run.done).toEqual(succeeded);
    expect(run.attempts).toEqual([3]);
    expect(run.io.lines).toEqual([]);
  });

  it('come to what the last try came to when no other was to follow', async () => {
    const run = startWith(past({ outcome: failed(7), isRetried: false }), tried({ retries: 2 }));
    expect(await run.done).toEqual(failed(7));
    expect(run.attempts).toEqual([]);
  });

  it('note how each try ended, and whether another follows', async () => {
    const noted: unknown[] = [];
    const log: Partial<TryLog> = { ended: (step, number, { isRetried }) => noted.push([step.id, number, isRetried]) };
    const run = startWith(log, tried({ retries: 1 }), failed(1), failed(1));
    await settle();
    run.time.pass(5000);
    await run.done;
    expect(noted).toEqual([
      ['work', 1, true],
      ['work', 2, false],
    ]);
  });
});
