import { describe, expect, it } from 'vitest';
import { finish, openWorld } from './rig.ts';
import { Death, image, trigger, type TestTask } from './world.ts';

describe('people', () => {
  it('pause and resume a campaign', async () => {
    const { world, conductor } = await openWorld();
    await conductor.told(world.push('base'));
    expect(await conductor.command('cp1', 'pause', 'ann')).toMatchObject({
      status: 'Paused',
      because: 'paused by ann',
    });
    await finish(world, conductor, 'mid');
    expect(world.atWork()).toEqual([]);
    const resumed = await conductor.command('cp1', 'resume', 'ann');
    expect(resumed.status).toBe('Running');
    expect(resumed.because).toBeUndefined();
    expect(world.atWork()).toEqual(['left', 'right']);
  });

  it('cancel a campaign: it is over when its runs are', async () => {
    const { world, conductor } = await openWorld();
    await conductor.told(world.push('base'));
    expect(await conductor.command('cp1', 'cancel', 'ann')).toMatchObject({ status: 'Running' });
    expect(world.runOf('mid').run.cancelRequested?.by).toBe('ann');
    await finish(world, conductor, 'mid', 'canceled');
    expect(await world.states('cp1')).toEqual({
      left: 'canceled',
      mid: 'canceled',
      right: 'canceled',
      top: 'canceled',
    });
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Canceled', because: 'canceled by ann; 4 canceled' });
  });

  it('retry what failed in a campaign that is over', async () => {
    const { world, conductor } = await openWorld();
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid');
    await finish(world, conductor, 'left', 'bad');
    await finish(world, conductor, 'right');
    const again = await conductor.command('cp1', 'retry', 'ann');
    expect(again).toMatchObject({ status: 'Running', counts: { rebuilt: 2, running: 1, waiting: 1 } });
    expect(again.finishTime).toBeUndefined();
    await finish(world, conductor, 'left');
    await finish(world, conductor, 'top');
    expect((await world.campaign('cp1')).status).toBe('Succeeded');
  });

  it('roll back what a campaign has done', async () => {
    const { world, conductor } = await openWorld();
    const before = new Map(world.registry);
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid');
    await finish(world, conductor, 'left');
    await conductor.command('cp1', 'rollback', 'ann');
    await finish(world, conductor, 'right');
    for (const name of ['mid', 'left', 'right']) {
      expect(world.registry.get(`r.io/${name}:latest`)).toBe(before.get(`r.io/${name}:latest`));
    }
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Canceled', counts: { canceled: 4 } });
    await expect(conductor.command('cp1', 'rollback', 'ann')).rejects.toThrow('it has moved no tag');
  });

  it('are told what cannot be done', async () => {
    const { world, conductor } = await openWorld();
    await expect(conductor.command('cp9', 'pause', 'ann')).rejects.toMatchObject({ failure: { reason: 'not-found' } });
    await conductor.told(world.push('base'));
    await expect(conductor.command('cp1', 'retry', 'ann')).rejects.toMatchObject({ failure: { reason: 'conflict' } });
    await conductor.command('cp1', 'cancel', 'ann');
    for (const action of ['pause', 'resume', 'retry'] as const) {
      await expect(conductor.command('cp1', action, 'ann')).rejects.toMatchObject({ failure: { reason: 'conflict' } });
    }
  });
});

describe('waves', () => {
  const wave = (number: number) => ({ change: { trigger: { ...trigger, wave: number } } });
  const tasks: readonly TestTask[] = [
    { name: 'canary', on: ['mid'], ...wave(0) },
    { name: 'first', on: ['base'], ...wave(0) },
    { name: 'mid', on: ['base'] },
    { name: 'rest', on: ['mid'] },
  ];

  it('go one after the other, with what the early ones need', async () => {
    const { world, conductor } = await openWorld(tasks);
    await conductor.told(world.push('base'));
    expect(world.atWork()).toEqual(['first', 'mid']);
    await finish(world, conductor, 'mid');
    await finish(world, conductor, 'first');
    expect(world.atWork()).toEqual(['canary']);
    await finish(world, conductor, 'canary');
    expect(world.atWork()).toEqual(['rest']);
  });

  it('hold when an early one fails, point the tags back, and go on when people want it', async () => {
    const { world, conductor } = await openWorld(tasks);
    const before = new Map(world.registry);
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid');
    const made = world.registry.get('r.io/mid:latest');
    await finish(world, conductor, 'canary', 'bad');
    expect(await world.campaign('cp1')).toMatchObject({
      status: 'Held',
      because: 'task-canary of wave 0 failed: its run ended in Failed',
    });
    await finish(world, conductor, 'first');
    expect(world.atWork()).toEqual([]);
    for (const name of ['mid', 'first', 'canary']) {
      expect(world.registry.get(`r.io/${name}:latest`)).toBe(before.get(`r.io/${name}:latest`));
    }
    await conductor.command('cp1', 'resume', 'ann');
    expect(world.registry.get('r.io/mid:latest')).toBe(made);
    expect(world.atWork()).toEqual(['canary']);
    await finish(world, conductor, 'canary');
    await finish(world, conductor, 'rest');
    expect((await world.campaign('cp1')).status).toBe('Succeeded');
    expect(world.runs.size).toBe(5);
  });

  it('leave known of each image what it stands on, wherever its tag is pointed', async () => {
    const { world, conductor } = await openWorld(tasks);
    const finishAll = async (...names: readonly string[]): Promise<void> => {
      for (const name of names) await finish(world, conductor, name);
    };
    await conductor.told(world.push('base'));
    await finishAll('mid', 'first', 'canary', 'rest');
    const known = async () => Promise.all(['mid', 'first'].map((name) => world.known(name)));
    const before = await known();
    await conductor.told(world.push('base'));
    await finishAll('mid', 'first');
    const after = await known();
    expect(after).not.toEqual(before);
    await finish(world, conductor, 'canary', 'bad');
    expect(await known()).toEqual(before);
    const runs = world.runs.size;
    await conductor.command('cp2', 'resume', 'ann');
    expect(await known()).toEqual(after);
    await finishAll('canary', 'rest');
    expect(world.runs.size).toBe(runs + 2);
    await conductor.command('cp2', 'rollback', 'ann');
    expect(await known()).toEqual(before);
  });

  it('do not say what an image stands on whose tag was pointed back when nobody knows', async () => {
    const { world, conductor } = await openWorld(tasks);
    const before = world.registry.get('r.io/mid:latest');
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid');
    await finish(world, conductor, 'first', 'bad');
    expect(await world.known('mid')).toEqual([
      { image: { ...image('mid'), digest: before }, runtime: image('base'), buildTime: [] },
    ]);
  });

  it('change nothing that is known of a tag which somebody else has moved', async () => {
    const { world, conductor } = await openWorld(tasks);
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid');
    const known = await world.known('mid');
    world.set('mid');
    await finish(world, conductor, 'first', 'bad');
    expect(world.returned).toEqual([]);
    expect(await world.known('mid')).toEqual(known);
  });

  it('point tags back also when the process dies that was to do so', async () => {
    const { world, conductor } = await openWorld(tasks);
    const before = new Map(world.registry);
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid');
    const run = await world.end(world.runOf('canary'), 'bad');
    let steps = 0;
    for (;;) {
      let left = (steps += 1);
      const dying = world.conductor(() => {
        if (--left === 0) throw new Death();
      });
      await dying.runEnded(run).catch(() => undefined);
      if ((await world.campaign('cp1')).status === 'Held') break;
    }
    expect((await world.campaign('cp1')).tagReturns).toHaveLength(1);
    await expect(conductor.command('cp1', 'resume', 'ann')).rejects.toThrow('its tags are being pointed back');
    await world.conductor().look();
    expect(world.registry.get('r.io/mid:latest')).toBe(before.get('r.io/mid:latest'));
    expect((await world.campaign('cp1')).tagReturns).toBeUndefined();
    expect(await world.known('mid')).toMatchObject([{ image: { digest: before.get('r.io/mid:latest') } }]);
  });

  it('build again what was built on a tag while it was pointed back', async () => {
    const { world, conductor } = await openWorld(tasks);
    await conductor.told(world.push('base'));
    await finish(world, conductor, 'mid');
    await finish(world, conductor, 'first', 'bad');
    expect(world.atWork()).toEqual(['canary']);
    await finish(world, conductor, 'canary');
    expect(await world.states('cp1')).toMatchObject({ canary: 'waiting', first: 'failed' });
    await conductor.command('cp1', 'resume', 'ann');
    expect(world.atWork()).toEqual(['canary', 'first']);
  });
});
