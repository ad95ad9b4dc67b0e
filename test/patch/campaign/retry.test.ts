import { describe, expect, it } from 'vitest';
import { finish, openWorld } from './rig.ts';
import { digestOf, image, keyOf, trigger } from './world.ts';

describe('a campaign that tries a task again by itself', () => {
  it('lets a task that has failed wait before it starts it again, longer each time', async () => {
    const { world, conductor } = await openWorld([{ name: 'one', on: ['base'] }]);
    world.policy = { ...world.policy, retries: 5, retryBudget: 5 };
    await conductor.told(world.push('base'));
    for (const pauseMs of [10_000, 60_000, 300_000, 300_000]) {
      await finish(world, conductor, 'one', 'bad');
      const notBefore = new Date(world.clock.now() + pauseMs).toISOString();
      expect((await world.node('cp1', 'one')).state).toEqual({ kind: 'waiting', notBefore });
      world.clock.advance(pauseMs - 1);
      await conductor.look();
      expect(world.atWork()).toEqual([]);
      world.clock.advance(1);
      await conductor.look();
      expect(world.atWork()).toEqual(['one']);
    }
  });

  it('goes on with other tasks while one waits to be tried again, but not with those of later waves', async () => {
    const { world, conductor } = await openWorld([
      { name: 'canary', on: ['base'], change: { trigger: { ...trigger, wave: 1 }, durationMs: 5_000 } },
      { name: 'twin', on: ['base'], change: { trigger: { ...trigger, wave: 1 } } },
      { name: 'rest', on: ['base'] },
    ]);
    world.policy = { ...world.policy, concurrency: 1, retries: 1, retryBudget: 1 };
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'canary', 'bad');
    expect(world.atWork()).toEqual(['twin']);
    await finish(world, conductor, 'twin');
    expect(world.atWork()).toEqual([]);
    world.clock.advance(10_000);
    await conductor.look();
    expect(world.atWork()).toEqual(['canary']);
  });

  it('repeats a run that was built on an old base at once', async () => {
    const { world, conductor } = await openWorld([{ name: 'one', on: ['base'] }]);
    await conductor.told(world.push('base'));
    const run = world.runOf('one');
    run.built = new Map([[keyOf(image('base')), digestOf(0)]]);
    await finish(world, conductor, 'one');
    expect(world.atWork()).toEqual(['one']);
  });

  it('starts a task that waits to be tried again at once when people go on with a held campaign', async () => {
    const wave = { change: { trigger: { ...trigger, wave: 1 } } };
    const { world, conductor } = await openWorld([
      { name: 'canary', on: ['base'], ...wave },
      { name: 'twin', on: ['base'], ...wave },
      { name: 'rest', on: ['base'] },
    ]);
    world.policy = { ...world.policy, retries: 1, retryBudget: 1 };
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'canary', 'bad');
    await finish(world, conductor, 'twin', 'bad');
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Held' });
    await conductor.command('cp1', 'retry', 'ann');
    expect(world.atWork()).toEqual(['canary', 'twin']);
  });
});
