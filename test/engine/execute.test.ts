import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Plan } from '../../src/domain/step.ts';
import { executePlan } from '../../src/engine/execute.ts';
import { stop } from '../../src/engine/stop.ts';
import { aPlan, aStep, createStage } from '../rig/steps.ts';

function start(plan: Plan) {
  const stage = createStage();
  const controller = new AbortController();
  const log: string[] = [];
  const done = executePlan(plan, {
    runStep: (step, signal) => {
      log.push(`start ${step.id}`);
      return stage.runStep(step, signal);
    },
    signal: controller.signal,
    onEnd: (step, outcome) => log.push(`${outcome.kind} ${step.id}`),
  });
  done.catch(() => undefined);
  return { stage, controller, log, done, tick: () => new Promise(setImmediate) };
}

const failed: Outcome = { kind: 'failed', exitCode: 3, message: 'no' };
const kinds = (outcomes: ReadonlyMap<string, Outcome>) =>
  Object.fromEntries([...outcomes].map(([id, one]) => [id, one.kind]));

describe('the graph', () => {
  it('starts a step the moment the last step it needs has succeeded, not a level later', async () => {
    const { stage, done, tick } = start(aPlan(aStep('a'), aStep('b'), aStep('c', ['a']), aStep('d', ['b', 'c'])));
    await tick();
    expect(stage.running()).toEqual(['a', 'b']);
    await stage.end('a');
    expect(stage.running()).toEqual(['b', 'c']);
    await stage.end('c');
    expect(stage.running()).toEqual(['b']);
    await stage.end('b');
    await stage.end('d');
    expect(kinds(await done)).toEqual({ a: 'succeeded', b: 'succeeded', c: 'succeeded', d: 'succeeded' });
  });

  it('starts a step once when several steps wait for it', async () => {
    const { stage, log, done, tick } = start(aPlan(aStep('a'), aStep('b', ['a']), aStep('c', ['a'])));
    await tick();
    await stage.end('a');
    await stage.end('b');
    await stage.end('c');
    await done;
    expect(log.filter((line) => line === 'start a')).toHaveLength(1);
  });

  it('stops the siblings of a failed step, and skips what has not started with the reason', async () => {
    const { stage, done, tick } = start(aPlan(aStep('a'), aStep('b'), aStep('c', ['b'])));
    await tick();
    await stage.end('a', failed);
    const outcomes = await done;
    expect(kinds(outcomes)).toEqual({ a: 'failed', b: 'canceled', c: 'skipped' });
    expect(outcomes.get('b' as never)).toEqual({ kind: 'canceled', reason: 'step a failed' });
    expect(outcomes.get('c' as never)).toEqual({ kind: 'skipped', because: 'step b did not succeed' });
  });

  it('stops what runs and starts nothing more when it is canceled', async () => {
    const { controller, done, tick } = start(aPlan(aStep('a'), aStep('b', ['a'])));
    await tick();
    stop(controller, { kind: 'canceled', by: 'ann' });
    expect(kinds(await done)).toEqual({ a: 'canceled', b: 'skipped' });
  });

  it('starts nothing when it was canceled before', async () => {
    const plan = aPlan(aStep('a'));
    const controller = new AbortController();
    stop(controller, { kind: 'canceled', by: 'ann' });
    const outcomes = await executePlan(plan, {
      runStep: () => Promise.reject(new Error('must not run')),
      signal: controller.signal,
      onEnd: () => undefined,
    });
    expect([...outcomes.values()]).toEqual([{ kind: 'skipped', because: 'canceled by ann' }]);
  });

  it('rejects with what the runner threw, after the others have ended', async () => {
    const { stage, log, done, tick } = start(aPlan(aStep('a'), aStep('b')));
    await tick();
    await stage.crash('a', new Error('engine gone'));
    await expect(done).rejects.toThrow('engine gone');
    expect(log).toContain('canceled b');
  });

  it('refuses a plan that names a step it does not have', async () => {
    await expect(start(aPlan(aStep('a', ['x']))).done).rejects.toThrow('no step x');
  });
});
