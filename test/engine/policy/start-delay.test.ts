import { describe, expect, it } from 'vitest';
import { withStartDelay } from '../../../src/engine/policy/start-delay.ts';
import { stop } from '../../../src/engine/stop.ts';
import { aStep, createManualTimer, createStage } from '../../rig/steps.ts';
import { settle, succeeded } from '../tries.ts';

function start(startDelaySeconds: number, controller = new AbortController()) {
  const stage = createStage();
  const time = createManualTimer();
  const step = aStep('late', [], { startDelaySeconds });
  const done = withStartDelay(stage.runStep, time.timer)(step, controller.signal);
  return { stage, time, controller, done };
}

describe('a start delay', () => {
  it('holds the step back until it has passed', async () => {
    const { stage, time, done } = start(3);
    time.pass(2999);
    await settle();
    expect(stage.running()).toEqual([]);
    time.pass(1);
    await settle();
    expect(stage.running()).toEqual(['late']);
    await stage.end('late');
    expect(await done).toEqual(succeeded);
  });

  it('sets no alarm when there is none', async () => {
    const { stage, time } = start(0);
    await settle();
    expect(time.armed()).toBe(0);
    expect(stage.running()).toEqual(['late']);
  });

  it('ends at once when the step is stopped, which then never started', async () => {
    const { stage, time, controller, done } = start(3);
    stop(controller, { kind: 'sibling-failed', step: 'test' });
    expect(await done).toEqual({ kind: 'skipped', because: 'step test failed' });
    expect(stage.running()).toEqual([]);
    expect(time.armed()).toBe(0);
  });

  it('does not begin for a step that is stopped already', async () => {
    const controller = new AbortController();
    stop(controller, { kind: 'canceled', by: 'ann' });
    const { time, done } = start(3, controller);
    expect(time.armed()).toBe(0);
    expect(await done).toEqual({ kind: 'skipped', because: 'canceled by ann' });
  });
});
