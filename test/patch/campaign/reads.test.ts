import { describe, expect, it } from 'vitest';
import { finish, openWorld } from './rig.ts';
import { image, taskName, trigger, type TestTask } from './world.ts';

/** Rebuilt for its base alone; what `tools` makes is only read while it is built. */
const app: TestTask = { name: 'app', on: ['base', 'tools'], change: { trigger } };
const tools: TestTask = { name: 'tools', on: ['base'] };

describe('a task that reads an image of its campaign while it is built', () => {
  it('waits for it, and reads what it is then', async () => {
    const { world, conductor } = await openWorld([app, tools]);
    const told = world.push('base');
    await conductor.told(told);
    expect(world.atWork()).toEqual(['tools']);
    await finish(world, conductor, 'tools');
    expect(world.runOf('app').wanted.images).toEqual([told.image]);
    await finish(world, conductor, 'app');
    const [built] = await world.known('app');
    expect(built?.buildTime).toEqual([{ ...image('tools'), digest: world.registry.get('r.io/tools:latest') }]);
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Succeeded', because: '2 rebuilt' });
    expect(world.runs.size).toBe(2);
  });

  it('goes on with what there is when that has failed', async () => {
    const { world, conductor } = await openWorld([app, tools, { name: 'more', on: ['app'] }]);
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'tools', 'bad');
    await finish(world, conductor, 'app');
    await finish(world, conductor, 'more');
    expect(await world.states('cp1')).toEqual({ app: 'rebuilt', more: 'rebuilt', tools: 'failed' });
  });

  it('is stopped by its failure when its trigger is for all bases', async () => {
    const all = { ...trigger, baseImageTriggerType: 'All' as const };
    const { world, conductor } = await openWorld([{ ...app, change: { trigger: all } }, tools]);
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'tools', 'bad');
    expect(await world.states('cp1')).toEqual({ app: 'blocked', tools: 'failed' });
  });

  it('goes on when that is blocked, left alone, unchanged or not needed', async () => {
    const { world, conductor } = await openWorld([
      { name: 'mid', on: ['base'] },
      { name: 'under', on: ['mid'] },
      { name: 'broken', on: ['base'], change: { failuresInRow: 5 } },
      { name: 'app', on: ['base', 'under', 'broken'], change: { trigger } },
    ]);
    await conductor.told(world.push('base'));
    expect(world.atWork()).toEqual(['mid']);
    await finish(world, conductor, 'mid', 'same');
    await finish(world, conductor, 'app');
    expect(await world.states('cp1')).toEqual({
      app: 'rebuilt',
      broken: 'skipped',
      mid: 'unchanged',
      under: 'unneeded',
    });
  });

  it('is not needed when its own base comes out the same, whatever it reads', async () => {
    const { world, conductor } = await openWorld([
      { name: 'mid', on: ['base'] },
      { name: 'broken', on: ['base'], change: { failuresInRow: 5 } },
      { name: 'app', on: ['mid', 'tools', 'broken'], change: { trigger } },
      tools,
    ]);
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid', 'same');
    await finish(world, conductor, 'tools');
    expect((await world.node('cp1', 'app')).state).toEqual({ kind: 'unneeded' });
  });

  it('waits also for a second try', async () => {
    const { world, conductor } = await openWorld([app, tools]);
    world.policy = { ...world.policy, retries: 1, retryBudget: 1 };
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'tools', 'bad');
    const again = await world.node('cp1', 'tools');
    expect(['waiting', 'running']).toContain(again.state.kind);
    expect(world.atWork()).not.toContain('app');
  });

  it('is not built again when that is repeated by hand', async () => {
    const { world, conductor } = await openWorld([app, tools]);
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'tools', 'bad');
    await finish(world, conductor, 'app');
    await conductor.command('cp1', 'retry', 'ann');
    await finish(world, conductor, 'tools');
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Succeeded' });
    expect(world.atWork()).toEqual([]);
  });

  it('is built again, once, when it was built with the old one all the same', async () => {
    const { world, conductor } = await openWorld([app, tools]);
    const before = world.registry.get('r.io/tools:latest');
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'tools');
    const run = world.runOf('app');
    world.begin(run);
    if (before) run.built?.set('r.io/tools:latest', before);
    await conductor.runEnded(await world.end(run));
    expect(world.atWork()).toEqual(['app']);
    await finish(world, conductor, 'app');
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Succeeded' });
  });

  it('waits for it also when an update is folded in, and when it comes into the campaign late', async () => {
    const { world, conductor } = await openWorld([
      { name: 'mid', on: ['base'] },
      { name: 'tools', on: ['mid', 'extra'] },
    ]);
    await conductor.told(world.push('base'));
    await world.define(
      { name: 'app', on: ['extra', 'tools'], change: { trigger } },
      { name: 'late', on: ['mid', 'tools'], change: { trigger } },
    );
    expect(await conductor.told(world.push('extra'))).toEqual({ kind: 'taken', campaign: 'cp1' });
    expect(world.atWork()).toEqual(['mid']);
    await finish(world, conductor, 'mid');
    expect(world.atWork()).toEqual(['tools']);
    await finish(world, conductor, 'tools');
    expect(world.atWork()).toEqual(['app', 'late']);
    expect((await world.node('cp1', 'late')).onlyReads).toEqual([taskName('tools')]);
  });
});

describe('a task that has begun before what it reads came into the campaign', () => {
  it('waits for it when it is tried again', async () => {
    const { world, conductor } = await openWorld([
      { name: 'app', on: ['base', 'tools'], change: { trigger } },
      { name: 'low', on: ['base'] },
      { name: 'mid', on: ['low', 'extra'] },
      { name: 'tools', on: ['extra'] },
    ]);
    await conductor.told(world.push('base'));
    expect(world.atWork()).toEqual(['app', 'low']);
    expect(await conductor.told(world.push('extra'))).toEqual({ kind: 'taken', campaign: 'cp1' });
    expect(world.atWork()).toEqual(['app', 'low', 'tools']);
    await finish(world, conductor, 'app', 'bad');
    await finish(world, conductor, 'low', 'bad');
    await finish(world, conductor, 'tools', 'bad');
    await conductor.command('cp1', 'retry', 'ann');
    expect(world.atWork()).toEqual(['low', 'tools']);
    await finish(world, conductor, 'tools');
    expect(world.atWork()).toEqual(['app', 'low']);
  });
});

describe('an update that is folded in', () => {
  it('lets nobody begin before what it stands on, though the run of that is over and recorded already', async () => {
    const { world, conductor } = await openWorld([
      tools,
      { name: 'more', on: ['tools'] },
      { name: 'app', on: ['extra', 'more'] },
    ]);
    await conductor.told(world.push('base'));
    const run = await world.end(world.runOf('tools'));
    expect(await conductor.told(world.push('extra'))).toEqual({ kind: 'taken', campaign: 'cp1' });
    expect(world.atWork()).toEqual([]);
    await conductor.runEnded(run);
    expect(world.atWork()).toEqual(['more']);
    await finish(world, conductor, 'more');
    await finish(world, conductor, 'app');
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Succeeded', because: '3 rebuilt' });
  });
});
