import { describe, expect, it } from 'vitest';
import { createGraphCache } from '../../../src/patch/graph/graph-cache.ts';
import { listStanding } from '../../../src/patch/desk/list-standing.ts';
import { findRebuilds } from '../../../src/patch/impact/impact.ts';
import { addPlatforms } from '../../../src/patch/platforms/add-platforms.ts';
import { finish, openWorld } from './rig.ts';
import { taskName, type TestTask } from './world.ts';

const [amd64, arm64] = ['linux/amd64', 'linux/arm64'];
const pair: readonly TestTask[] = [
  { name: 'pc', on: ['base'], platforms: [amd64] },
  { name: 'pi', on: ['base'], platforms: [arm64] },
];

/** A world whose tasks have been built on an index of two manifests, 1 and 2, by a campaign. */
async function openBuilt(tasks: readonly TestTask[] = pair) {
  const opened = await openWorld(tasks);
  const { world, conductor } = opened;
  await conductor.told(world.pushIndex('base', { [amd64]: 1, [arm64]: 2 }));
  for (const name of world.atWork()) await finish(world, conductor, name);
  const graph = createGraphCache(world.store.baseImages);
  const list = async () => {
    const { images } = await listStanding({ baseImages: world.store.baseImages, graph }, { limit: 100 });
    return images.map(({ task, isCurrent, unchangedFor }) => [task.slice(5), isCurrent, unchangedFor]);
  };
  return { ...opened, graph, list };
}

describe('a base that has changed for some platforms', () => {
  it('rebuilds what is built for those, and says of the rest that it was thought of', async () => {
    const { world, conductor, list } = await openBuilt();
    const told = world.pushIndex('base', { [amd64]: 1, [arm64]: 3 });
    expect(await conductor.told(told)).toEqual({ kind: 'taken', campaign: 'cp2' });
    expect(world.atWork()).toEqual(['pi']);
    expect((await world.node('cp2', 'pc')).state).toEqual({ kind: 'skipped', because: 'unchanged for linux/amd64' });
    await finish(world, conductor, 'pi');
    expect(await world.campaign('cp2')).toMatchObject({ status: 'Succeeded', because: '1 rebuilt, 1 skipped' });
    expect(await list()).toEqual([
      ['pc', true, [amd64]],
      ['pi', true, undefined],
    ]);
  });

  it('opens no campaign where nobody is built for them, and is known from then on', async () => {
    const { world, conductor, list } = await openBuilt([{ name: 'pc', on: ['base'], platforms: [amd64] }]);
    const told = world.pushIndex('base', { [amd64]: 1, [arm64]: 3 });
    expect(await conductor.told(told)).toEqual({ kind: 'nothing-to-do' });
    expect(await conductor.told({ ...told, source: 'poll' })).toMatchObject({ kind: 'ignored' });
    expect(await list()).toEqual([['pc', true, [amd64]]]);
  });

  it('is compared with what was really built on, however many indexes lie between', async () => {
    const { world, conductor } = await openBuilt();
    await conductor.told(world.pushIndex('base', { [amd64]: 1, [arm64]: 3 }));
    await finish(world, conductor, 'pi');
    await conductor.told(world.pushIndex('base', { [amd64]: 4, [arm64]: 3 }));
    expect(world.atWork()).toEqual(['pc']);
    await finish(world, conductor, 'pc');
    expect(await conductor.told(world.pushIndex('base', { [amd64]: 4, [arm64]: 3, other: 9 }))).toEqual({
      kind: 'nothing-to-do',
    });
  });

  it.each(['registry', 'hook', 'poll', 'manual'] as const)('counts the same, told by %s', async (source) => {
    const { world, conductor } = await openBuilt();
    await conductor.told({ ...world.pushIndex('base', { [amd64]: 1, [arm64]: 3 }), source });
    expect(world.atWork()).toEqual(['pi']);
  });

  it('has the impact that it comes to', async () => {
    const { world, graph } = await openBuilt();
    const { image } = world.pushIndex('base', { [amd64]: 1, [arm64]: 3 });
    const whole = await addPlatforms(await graph.read(), image, world.indexes.platformsOf);
    const { tasks, notRebuilt } = findRebuilds(await graph.read(), [whole], {});
    expect(tasks.map(({ task }) => task)).toEqual([taskName('pi')]);
    expect(notRebuilt).toMatchObject([
      { task: taskName('pc'), unchangedFor: [amd64], because: 'stands on what is unchanged for linux/amd64' },
    ]);
  });
});

describe('in doubt, a task', () => {
  it('is rebuilt: no platform is known of it, or the new index has none for it', async () => {
    const { world, conductor } = await openBuilt([{ name: 'old', on: ['base'] }, ...pair]);
    await conductor.told(world.pushIndex('base', { [amd64]: 1 }));
    expect(world.atWork()).toEqual(['old', 'pi']);
  });

  it('is rebuilt: it is built for several platforms, and one of them has changed', async () => {
    const { world, conductor } = await openBuilt([{ name: 'both', on: ['base'], platforms: [amd64, arm64] }]);
    await conductor.told(world.pushIndex('base', { [amd64]: 1, [arm64]: 3 }));
    expect(world.atWork()).toEqual(['both']);
  });
});

describe('what was left out', () => {
  it('comes in with a later update that is about it', async () => {
    const { world, conductor } = await openBuilt();
    await conductor.told(world.pushIndex('base', { [amd64]: 1, [arm64]: 3 }));
    await conductor.told(world.pushIndex('base', { [amd64]: 5, [arm64]: 3 }));
    await finish(world, conductor, 'pi');
    expect(world.atWork()).toEqual(['pc']);
    // Its run in the first campaign came to the newest by itself.
    const because = 'it is built on it already';
    expect((await world.node('cp3', 'pi')).state).toEqual({ kind: 'skipped', because });
  });

  it('is looked at again when a campaign that has waited begins', async () => {
    const { world, conductor } = await openBuilt();
    await conductor.told(world.pushIndex('base', { [amd64]: 1, [arm64]: 3 }));
    await conductor.told(world.pushIndex('base', { [amd64]: 5, [arm64]: 4 }));
    expect(await world.states('cp3')).toEqual({ pc: 'waiting', pi: 'waiting' });
    await conductor.told(world.pushIndex('base', { [amd64]: 1, [arm64]: 4 }));
    await finish(world, conductor, 'pi');
    expect(world.atWork()).toEqual([]);
    expect((await world.node('cp3', 'pc')).state).toEqual({ kind: 'skipped', because: 'unchanged for linux/amd64' });
    expect((await world.campaign('cp3')).status).toBe('Succeeded');
  });

  it('does not keep campaigns about other images waiting', async () => {
    const { world, conductor } = await openBuilt([
      ...pair.slice(1),
      { name: 'pc', on: ['base'], platforms: [amd64] },
      { name: 'child', on: ['pc'] },
    ]);
    while (world.active().length > 0) for (const name of world.atWork()) await finish(world, conductor, name);
    await conductor.told(world.pushIndex('base', { [amd64]: 1, [arm64]: 3 }));
    expect(await conductor.told(world.push('pc'))).toEqual({ kind: 'taken', campaign: 'cp3' });
    expect((await world.campaign('cp3')).status).toBe('Running');
  });
});
