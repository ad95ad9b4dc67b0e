import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Plan } from '../../src/domain/step.ts';
import { executePlan } from '../../src/engine/execute.ts';
import { stop } from '../../src/engine/stop.ts';
import { aPlan, aStep, createStage } from '../rig/steps.ts';
import { failed, settle } from './tries.ts';

async function start(plan: Plan, maxParallel?: number) {
  const stage = createStage();
  const controller = new AbortController();
  const done = executePlan(plan, {
    runStep: stage.runStep,
    signal: controller.signal,
    onEnd: () => undefined,
    maxParallel,
  });
  done.catch(() => undefined);
  await settle();
  return { stage, controller, done };
}

/** Outcomes in words: what kind, and why a step was skipped. */
async function told(done: Promise<ReadonlyMap<string, Outcome>>) {
  return Object.fromEntries(
    [...(await done)].map(([id, one]) => [id, one.kind === 'skipped' ? `skipped: ${one.because}` : one.kind]),
  );
}

const onFailure = { runOn: 'failure' } as const;
const always = { runOn: 'always' } as const;

describe('a failing run', () => {
  it('stops siblings and starts no ordinary step, but runs what is there for failures', async () => {
    const plan = aPlan(
      aStep('test'),
      aStep('lint'),
      aStep('push', ['test']),
      aStep('report', ['push'], onFailure),
      aStep('clean', ['report'], always),
      aStep('announce', ['clean']),
    );
    const { stage, done } = await start(plan);
    await stage.end('test', failed(1));
    expect(stage.running()).toEqual(['report']);
    await stage.end('report');
    await stage.end('clean');
    expect(await told(done)).toEqual({
      test: 'failed',
      lint: 'canceled',
      push: 'skipped: step test did not succeed',
      report: 'succeeded',
      clean: 'succeeded',
      announce: 'skipped: step test failed',
    });
  });

  it('lets a step that runs always go on when a sibling fails', async () => {
    const { stage, done } = await start(aPlan(aStep('watch', [], always), aStep('test')));
    await stage.end('test', failed(1));
    expect(stage.running()).toEqual(['watch']);
    await stage.end('watch');
    expect(await told(done)).toEqual({ test: 'failed', watch: 'succeeded' });
  });

  it('runs the handler of a sibling that was stopped', async () => {
    const plan = aPlan(aStep('test'), aStep('serve'), aStep('collect', ['serve'], onFailure));
    const { stage, done } = await start(plan);
    await stage.end('test', failed(1));
    await stage.end('collect');
    expect(await told(done)).toEqual({ test: 'failed', serve: 'canceled', collect: 'succeeded' });
  });

  it('stops its handlers, and starts none, when it is canceled', async () => {
    const plan = aPlan(aStep('test'), aStep('report', ['test'], onFailure), aStep('clean', ['report'], always));
    const { stage, controller, done } = await start(plan);
    await stage.end('test', failed(1));
    stop(controller, { kind: 'canceled', by: 'ann' });
    expect(await told(done)).toEqual({ test: 'failed', report: 'canceled', clean: 'skipped: canceled by ann' });
  });

  it('starts no handler when the runner itself failed, and stops those that run', async () => {
    const plan = aPlan(aStep('test', [], { ignoreErrors: true }), aStep('watch', [], always), aStep('next', ['test']));
    const { stage, done } = await start(plan);
    await stage.crash('test', new Error('engine gone'));
    await expect(done).rejects.toThrow('engine gone');
    expect(stage.running()).toEqual([]);
  });

  it('gives its outcomes in the order in which the steps ended', async () => {
    const { stage, done } = await start(aPlan(aStep('a'), aStep('b'), aStep('c')));
    await stage.end('c');
    await stage.end('b', failed(1));
    expect([...(await done).keys()]).toEqual(['c', 'b', 'a']);
  });
});

describe('a step that was not called for', () => {
  it('does not stand in the way of the next one', async () => {
    const plan = aPlan(aStep('test'), aStep('report', ['test'], onFailure), aStep('push', ['report']));
    const { stage, done } = await start(plan);
    await stage.end('test');
    await stage.end('push');
    expect(await told(done)).toEqual({
      test: 'succeeded',
      report: 'skipped: no step that it needs failed',
      push: 'succeeded',
    });
  });

  it('does not hide a failure from the next one', async () => {
    const plan = aPlan(
      aStep('test'),
      aStep('retest', ['test'], { exitedWith: [2] }),
      aStep('on', ['retest'], onFailure),
    );
    const { stage, done } = await start(plan);
    await stage.end('test', failed(1));
    await stage.end('on');
    expect(await told(done)).toEqual({
      test: 'failed',
      retest: 'skipped: step test ended with exit code 1',
      on: 'succeeded',
    });
  });
});

describe('an ignored failure', () => {
  it('stops nothing, and its exit code can be asked for', async () => {
    const plan = aPlan(
      aStep('probe', [], { ignoreErrors: true }),
      aStep('other'),
      aStep('create', ['probe'], { exitedWith: [3] }),
      aStep('go-on', ['probe']),
      aStep('report', ['probe'], onFailure),
    );
    const { stage, done } = await start(plan);
    await stage.end('probe', failed(3));
    expect(stage.running()).toEqual(['other', 'create', 'go-on']);
    for (const id of ['other', 'create', 'go-on']) await stage.end(id);
    expect(await told(done)).toMatchObject({
      probe: 'failed',
      report: 'skipped: no step that it needs failed',
      'go-on': 'succeeded',
    });
  });
});

describe('bounded parallelism', () => {
  it('runs so many steps at a time', async () => {
    const { stage, done } = await start(aPlan(aStep('a'), aStep('b'), aStep('c'), aStep('d', ['a'])), 2);
    expect(stage.running()).toEqual(['a', 'b']);
    await stage.end('a');
    expect(stage.running()).toEqual(['b', 'c']);
    for (const id of ['b', 'c', 'd']) await stage.end(id);
    await done;
  });

  it('does not start a waiting step after a failure, not even for a moment', async () => {
    const { stage, done } = await start(aPlan(aStep('a'), aStep('b'), aStep('clean', ['a'], always)), 1);
    await stage.end('a', failed(1));
    expect(stage.running()).toEqual(['clean']);
    await stage.end('clean');
    expect(await told(done)).toEqual({ a: 'failed', b: 'skipped: step a failed', clean: 'succeeded' });
  });

  it('refuses to run no step at a time', async () => {
    await expect((await start(aPlan(aStep('a')), 0)).done).rejects.toThrow('maxParallel');
  });
});

describe('a plan that cannot be executed', () => {
  it.each([
    ['a step that needs itself', aPlan(aStep('a', ['a'])), 'the plan has no step a above step a'],
    ['a circle', aPlan(aStep('a', ['b']), aStep('b', ['a'])), 'the plan has no step b above step a'],
    ['two steps of one name', aPlan(aStep('a'), aStep('a')), 'the plan has two steps a'],
  ])('is refused before anything starts: %s', async (_what, plan, message) => {
    const { stage, done } = await start(plan);
    await expect(done).rejects.toThrow(message);
    expect(stage.running()).toEqual([]);
  });
});
