import { describe, expect, it } from 'vitest';
import { World, type TestTask } from './world.ts';

/** Four levels: one image, 60 on it, 120 on two of those each, 19 on many. */
function bigDiamond(): readonly TestTask[] {
  const name = (level: number, number: number): string => `l${String(level)}n${String(number)}`;
  const second = Array.from({ length: 60 }, (_, at) => ({ name: name(2, at), on: [name(1, 0)] }));
  const third = Array.from({ length: 120 }, (_, at) => ({
    name: name(3, at),
    on: [name(2, at % 60), name(2, (at * 7 + 1) % 60), 'base'],
  }));
  const fourth = Array.from({ length: 19 }, (_, at) => ({
    name: name(4, at),
    on: Array.from({ length: 12 }, (_, nth) => name(3, (at * 12 + nth) % 120)),
  }));
  return [{ name: name(1, 0), on: ['base'] }, ...second, ...third, ...fourth];
}

describe('a diamond of four levels and 200 images', () => {
  it('is built in order, each image once, and none on an old digest', async () => {
    const world = new World();
    world.policy = { ...world.policy, concurrency: 16 };
    const tasks = bigDiamond();
    expect(tasks).toHaveLength(200);
    for (const { name } of tasks) world.set(name);
    await world.define(...tasks);
    const conductor = world.conductor();
    await conductor.told(world.push('base'));
    const done = new Set<string>(['base']);
    while (world.active().length > 0) {
      expect(world.active().length).toBeLessThanOrEqual(16);
      const one = world.active()[world.active().length >> 1] ?? world.active()[0];
      if (!one) break;
      const task = tasks.find(({ name }) => `task-${name}` === one.wanted.task);
      expect(task?.on.filter((base) => !done.has(base))).toEqual([]);
      await conductor.runEnded(await world.end(one));
      for (const { tag: _tag, digest, repository } of one.wanted.images) {
        expect(world.registry.get(`r.io/${repository}:latest`)).toBe(digest);
      }
      done.add(task?.name ?? '');
    }
    expect(world.runs.size).toBe(200);
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Succeeded', counts: { rebuilt: 200 } });
  });

  it('takes the ends of many runs together', async () => {
    const world = new World();
    const tasks = Array.from({ length: 2000 }, (_, at) => ({ name: `app${String(at)}`, on: ['base'] }));
    await world.define(...tasks);
    world.policy = { ...world.policy, concurrency: 10_000 };
    const conductor = world.conductor();
    await conductor.told(world.push('base'));
    const board = await world.store.campaigns.readBoard();
    const runs = await Promise.all(world.active().map((one) => world.end(one)));
    await Promise.all(runs.map((run) => conductor.runEnded(run)));
    expect(await world.campaign('cp1')).toMatchObject({ status: 'Succeeded', counts: { rebuilt: 2000 } });
    const after = await world.store.campaigns.readBoard();
    expect((after?.version ?? 0) - (board?.version ?? 0)).toBeLessThanOrEqual(3);
  });
});
