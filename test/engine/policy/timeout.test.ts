import { afterEach, describe, expect, it, vi } from 'vitest';
import { hostTimer, withTimeout } from '../../../src/engine/policy/timeout.ts';
import { stop } from '../../../src/engine/stop.ts';
import { aStep, createManualTimer, createStage } from '../../rig/steps.ts';
import { failed, succeeded } from '../tries.ts';

function start() {
  const stage = createStage();
  const time = createManualTimer();
  const controller = new AbortController();
  const done = withTimeout(stage.runStep, time.timer)(aStep('slow', [], { timeoutSeconds: 5 }), controller.signal);
  done.catch(() => undefined);
  return { stage, time, controller, done };
}

describe('a timeout', () => {
  it('stops the step, which then is timed out', async () => {
    const { time, done } = start();
    time.pass(5000);
    expect(await done).toEqual({ kind: 'timed-out', afterMs: 5000 });
  });

  it('leaves a step alone that ends in time, and takes its alarm back', async () => {
    const { stage, time, done } = start();
    time.pass(4999);
    await stage.end('slow');
    expect(await done).toEqual(succeeded);
    expect(time.armed()).toBe(0);
  });

  it('does not turn a failure into a timeout', async () => {
    const { stage, done } = start();
    await stage.end('slow', failed(1));
    expect(await done).toEqual(failed(1));
  });

  it('does not claim a step that was canceled from outside', async () => {
    const { time, controller, done } = start();
    stop(controller, { kind: 'canceled', by: 'ann' });
    time.pass(5000);
    expect((await done).kind).toBe('canceled');
  });

  it('takes its alarm back when the runner fails', async () => {
    const { stage, time, done } = start();
    await stage.crash('slow', new Error('engine gone'));
    await expect(done).rejects.toThrow('engine gone');
    expect(time.armed()).toBe(0);
  });
});

describe("the host's timer", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('does not fire early for times that the host cannot count at once', () => {
    vi.useFakeTimers();
    const month = 31 * 24 * 3_600_000;
    const fired = vi.fn();
    hostTimer(month, fired);
    vi.advanceTimersByTime(month - 1);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fired).toHaveBeenCalledOnce();
  });

  it('can be taken back at any time', () => {
    vi.useFakeTimers();
    const fired = vi.fn();
    const cancel = hostTimer(2 ** 32, fired);
    vi.advanceTimersByTime(2 ** 31);
    cancel();
    vi.advanceTimersByTime(2 ** 32);
    expect(fired).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
