import { describe, expect, it } from 'vitest';
import { diamond, finish, openWorld } from './rig.ts';
import { digestOf, image, taskName, trigger } from './world.ts';

describe('a campaign', () => {
  it('rebuilds what stands on a base in order, each once', async () => {
    const { world, conductor } = await openWorld();
    const told = world.push('base');
    expect(await conductor.told(told)).toEqual({ kind: 'taken', campaign: 'cp1' });
    expect(world.atWork()).toEqual(['mid']);
    await finish(world, conductor, 'mid');
    expect(world.atWork()).toEqual(['left', 'right']);
    await finish(world, conductor, 'right');
    expect(world.atWork()).toEqual(['left']);
    await finish(world, conductor, 'left');
    await finish(world, conductor, 'top');
    expect(await world.states('cp1')).toEqual({ left: 'rebuilt', mid: 'rebuilt', right: 'rebuilt', top: 'rebuilt' });
    const because = '4 rebuilt';
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Succeeded', because, finishTime: world.now() });
    expect((await world.store.campaigns.readBoard())?.campaigns.size).toBe(0);
    expect(world.runs.size).toBe(4);
  });

  it('asks for each run with the digests that it is rebuilt for', async () => {
    const { world, conductor } = await openWorld();
    const told = world.push('base');
    await conductor.told(told);
    expect(world.runOf('mid').wanted.images).toEqual([told.image]);
    await finish(world, conductor, 'mid');
    const mid = { ...image('mid'), digest: world.registry.get('r.io/mid:latest') };
    expect(world.runOf('right').wanted.images).toEqual([told.image, mid]);
    expect((await world.node('cp1', 'left')).bases).toEqual([mid]);
  });

  it('opens nothing for what has no tag, and where nothing stands on it; such tags are not remembered', async () => {
    const { world, conductor } = await openWorld();
    const told = world.push('other');
    expect(await conductor.told(told)).toEqual({ kind: 'nothing-to-do' });
    expect(await conductor.told(told)).toEqual({ kind: 'nothing-to-do' });
    const { tag: _tag, ...untagged } = told.image;
    expect(await conductor.told({ ...told, image: untagged })).toMatchObject({ kind: 'ignored' });
    expect(world.runs.size).toBe(0);
  });

  it('opens one campaign for a change, however often it is told', async () => {
    const { world, conductor } = await openWorld();
    const told = world.push('base');
    expect(await conductor.told(told)).toMatchObject({ kind: 'taken' });
    expect(await conductor.told({ ...told, source: 'hook' })).toMatchObject({ kind: 'ignored' });
  });

  it('ignores what was told late of a tag that stands for something newer by now', async () => {
    const { world, conductor } = await openWorld();
    const [old, young] = [world.push('base'), world.push('base')];
    await conductor.told(young);
    expect(await conductor.told(old)).toMatchObject({ kind: 'ignored', because: expect.stringContaining('newer') });
  });

  it('takes what polling sees first as what was always there, except for tasks that were built on something else', async () => {
    const { world, conductor } = await openWorld([
      { name: 'fresh', on: ['base'] },
      { name: 'other', on: ['base2'] },
    ]);
    expect(await conductor.told({ ...world.push('base'), source: 'poll' })).toEqual({ kind: 'nothing-to-do' });
    await world.define({
      name: 'other',
      on: ['base2'],
      change: {
        images: [{ image: image('other'), runtime: { ...image('base2'), digest: digestOf(999) }, buildTime: [] }],
      },
    });
    expect(await conductor.told({ ...world.push('base2'), source: 'poll' })).toMatchObject({ kind: 'taken' });
  });

  it('stops where an image comes out the same', async () => {
    const { world, conductor } = await openWorld();
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid', 'same');
    expect(world.atWork()).toEqual(['right']);
    await finish(world, conductor, 'right', 'same');
    expect(await world.states('cp1')).toEqual({
      left: 'unneeded',
      mid: 'unchanged',
      right: 'unchanged',
      top: 'unneeded',
    });
    expect(await world.campaign('cp1')).toMatchObject({
      status: 'Succeeded',
      because: '2 came out unchanged, 2 did not have to be rebuilt',
    });
  });

  it('stops what stands on a failed task, and goes on with the rest', async () => {
    const { world, conductor } = await openWorld();
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid');
    await finish(world, conductor, 'left', 'bad');
    await finish(world, conductor, 'right');
    expect(await world.states('cp1')).toEqual({ left: 'failed', mid: 'rebuilt', right: 'rebuilt', top: 'blocked' });
    expect(await world.node('cp1', 'top')).toMatchObject({ state: { by: 'task-left' } });
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Failed' });
  });

  it('retries a failed task by itself, as far as its tries and the budget go', async () => {
    const { world, conductor } = await openWorld([
      { name: 'one', on: ['base'] },
      { name: 'two', on: ['base'] },
    ]);
    world.policy = { ...world.policy, retries: 2, retryBudget: 3 };
    await conductor.told(world.push('base'));
    for (const [name, failures] of [
      ['one', 3],
      ['two', 2],
    ] as const) {
      for (let count = 0; count < failures; count += 1) {
        await finish(world, conductor, name, 'bad');
        world.clock.advance(60_000);
        await conductor.look();
      }
      expect((await world.node('cp1', name)).state.kind).toBe('failed');
    }
    expect(await world.states('cp1')).toEqual({ one: 'failed', two: 'failed' });
    expect((await world.campaign('cp1')).retriesUsed).toBe(3);
  });

  it('does not retry a run that people have canceled', async () => {
    const { world, conductor } = await openWorld();
    world.policy = { ...world.policy, retries: 2, retryBudget: 3 };
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid', 'canceled');
    expect(await world.node('cp1', 'mid')).toMatchObject({ state: { kind: 'failed' }, tries: 1 });
  });

  it('starts no more at a time than its concurrency, the longest way first', async () => {
    const slow = { change: { durationMs: 9_000 } };
    const { world, conductor } = await openWorld([
      { name: 'aaa', on: ['base'], change: { durationMs: 5_000 } },
      { name: 'bbb', on: ['base'], change: { durationMs: 1_000 } },
      { name: 'ccc', on: ['bbb'], ...slow },
    ]);
    world.policy = { ...world.policy, concurrency: 1 };
    await conductor.told(world.push('base'));
    expect(world.atWork()).toEqual(['bbb']);
    await finish(world, conductor, 'bbb');
    expect(world.atWork()).toEqual(['ccc']);
  });

  it('leaves a task alone whose runs keep failing, and what stands on nothing else', async () => {
    const { world, conductor } = await openWorld([
      { name: 'broken', on: ['base'], change: { failuresInRow: 5 } },
      { name: 'after', on: ['broken'] },
      { name: 'both', on: ['broken', 'base'] },
    ]);
    await conductor.told(world.push('base'));
    expect(world.atWork()).toEqual(['both']);
    await finish(world, conductor, 'both');
    expect(await world.states('cp1')).toEqual({ after: 'skipped', both: 'rebuilt', broken: 'skipped' });
    await conductor.command('cp1', 'retry', 'ann');
    expect(world.atWork()).toEqual(['broken']);
  });

  it('skips a task of which there can be no run, and says why', async () => {
    const { world, conductor } = await openWorld();
    world.refused.set(taskName('mid'), 'the task is gone');
    await conductor.told(world.push('base'));
    expect((await world.node('cp1', 'mid')).state).toEqual({ kind: 'skipped', because: 'the task is gone' });
    expect(world.atWork()).toEqual(['right']);
  });

  it('builds tasks that stand on each other in a circle once', async () => {
    const { world, conductor } = await openWorld([
      { name: 'aaa', on: ['bbb'] },
      { name: 'bbb', on: ['aaa', 'base'] },
    ]);
    await conductor.told(world.push('base'));
    expect(world.atWork()).toEqual(['bbb']);
    await finish(world, conductor, 'bbb');
    expect(world.atWork()).toEqual(['aaa']);
    await finish(world, conductor, 'aaa');
    expect(world.atWork()).toEqual([]);
    expect(await world.campaign('cp1')).toMatchObject({
      status: 'Succeeded',
      cycles: [[taskName('aaa'), taskName('bbb')]],
    });
  });

  it('builds a task again, once, that was built on an old base', async () => {
    const { world, conductor } = await openWorld();
    const before = world.set('base');
    await conductor.told(world.push('base'));
    for (let count = 0; count < 2; count += 1) {
      const run = world.runOf('mid');
      world.begin(run);
      run.built?.set('r.io/base:latest', before);
      await conductor.runEnded(await world.end(run));
    }
    expect(world.atWork()).toEqual([]);
    expect(await world.node('cp1', 'mid')).toMatchObject({
      tries: 2,
      state: { kind: 'failed', because: 'it was built on an old base' },
    });
  });

  it('lets a run be that was built on something newer than was wanted', async () => {
    const { world, conductor } = await openWorld([{ name: 'app', on: ['base'] }]);
    await conductor.told(world.push('base'));
    world.push('base');
    await finish(world, conductor, 'app');
    expect(await world.states('cp1')).toEqual({ app: 'rebuilt' });
  });

  it('takes in a task that began to stand on one of its images meanwhile', async () => {
    const { world, conductor } = await openWorld();
    await conductor.told(world.push('base'));
    await world.define({ name: 'late', on: ['left'] }, { name: 'later', on: ['late'] });
    await finish(world, conductor, 'mid');
    await finish(world, conductor, 'left');
    expect(world.atWork()).toEqual(['late', 'right']);
    await finish(world, conductor, 'late');
    expect(world.atWork()).toEqual(['later', 'right']);
  });

  it('follows tags: a newer one that matches is handed on as a build argument', async () => {
    const follow = [{ pattern: 'r.io/node:20.*', argument: 'NODE' }];
    const { world, conductor } = await openWorld([
      { name: 'app', on: ['node:20.9'], change: { trigger: { ...trigger, follow } } },
    ]);
    expect(await conductor.told(world.push('node:20.8'))).toEqual({ kind: 'nothing-to-do' });
    expect(await conductor.told(world.push('node:20.10-slim'))).toEqual({ kind: 'nothing-to-do' });
    expect(await conductor.told(world.push('node:20.10'))).toMatchObject({ kind: 'taken' });
    expect(world.runOf('app').wanted.arguments).toEqual({ NODE: '20.10' });
  });
});

describe('updates that come while a campaign is at work', () => {
  it('are folded in when none of their tasks has begun', async () => {
    const { world, conductor } = await openWorld([...diamond, { name: 'side', on: ['extra'] }]);
    await world.define({ name: 'top', on: ['left', 'right', 'extra'] });
    await conductor.told(world.push('base'));
    expect(await conductor.told(world.push('extra'))).toEqual({ kind: 'taken', campaign: 'cp1' });
    expect(world.atWork()).toEqual(['mid', 'side']);
    const again = world.push('extra');
    expect(await conductor.told(again)).toEqual({ kind: 'taken', campaign: 'cp2' });
    await finish(world, conductor, 'mid');
    for (const name of ['left', 'right', 'side']) await finish(world, conductor, name);
    expect(world.runOf('top').wanted.images).toHaveLength(3);
    await finish(world, conductor, 'top');
    // Whatever was built on the newest one by then is not built once more.
    expect(await world.states('cp2')).toEqual({ side: 'skipped', top: 'skipped' });
    expect((await world.campaign('cp2')).status).toBe('Succeeded');
  });

  it('wait in a campaign of their own when some have begun, and further ones are folded into that', async () => {
    const { world, conductor } = await openWorld();
    await conductor.told(world.push('base'));
    world.begin(world.runOf('mid'));
    expect(await conductor.told(world.push('base'))).toEqual({ kind: 'taken', campaign: 'cp2' });
    const newest = world.push('base');
    expect(await conductor.told(newest)).toEqual({ kind: 'taken', campaign: 'cp2' });
    expect(await world.campaign('cp2')).toMatchObject({ status: 'Queued', waitsFor: ['cp1'], updates: [{}, {}] });
    await finish(world, conductor, 'mid');
    for (const name of ['left', 'right', 'top']) await finish(world, conductor, name);
    expect((await world.campaign('cp1')).status).toBe('Succeeded');
    expect((await world.campaign('cp2')).status).toBe('Running');
    expect(world.runOf('mid').wanted.images).toEqual([newest.image]);
  });

  it('go their own way when they share no task with it', async () => {
    const { world, conductor } = await openWorld([...diamond, { name: 'side', on: ['extra'] }]);
    await conductor.told(world.push('base'));
    expect(await conductor.told(world.push('extra'))).toEqual({ kind: 'taken', campaign: 'cp2' });
    expect(world.atWork()).toEqual(['mid', 'side']);
  });
});
