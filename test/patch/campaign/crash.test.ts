import { describe, expect, it } from 'vitest';
import { isFinal } from '../../../src/domain/run.ts';
import type { ToldUpdate } from '../../../src/queue/ports.ts';
import { Death, World, type TestTask } from './world.ts';

const tasks: readonly TestTask[] = [
  { name: 'mid', on: ['base'] },
  { name: 'left', on: ['mid'] },
  { name: 'right', on: ['mid', 'base'] },
  { name: 'top', on: ['left', 'right'] },
];

/** Does work in one process after another, until one comes to its end with it. */
async function insist(
  world: World,
  gate: () => void,
  work: (world: ReturnType<World['conductor']>) => Promise<unknown>,
) {
  for (;;) {
    try {
      await work(world.conductor(gate));
      return;
    } catch (error) {
      if (!(error instanceof Death)) throw error;
    }
  }
}

/** Lets one process die at its `number`th step on the way of an update through everything; false: it had fewer. */
async function runWithDeathAt(number: number, hears: 'everything' | 'no ends'): Promise<boolean> {
  const world = new World();
  for (const { name } of tasks) world.set(name);
  await world.define(...tasks);
  let left = number;
  const gate = (): void => {
    if (--left === 0) throw new Death();
  };
  const told: ToldUpdate = world.push('base');
  await insist(world, gate, (conductor) => conductor.told(told));
  for (let round = 0; round < 10; round += 1) {
    for (const one of [...world.active()]) {
      const run = await world.end(one);
      if (hears === 'everything') await insist(world, gate, (conductor) => conductor.runEnded(run));
    }
    await insist(world, gate, (conductor) => conductor.look());
  }
  expect(await world.states('cp1')).toEqual({ left: 'rebuilt', mid: 'rebuilt', right: 'rebuilt', top: 'rebuilt' });
  expect((await world.campaign('cp1')).status).toBe('Succeeded');
  expect(await world.store.campaigns.list({ limit: 9 })).toMatchObject({ campaigns: [{ id: 'cp1' }] });
  const runs = [...world.runs.values()].map(({ run }) => run);
  expect(runs).toHaveLength(4);
  expect(runs.every(({ status }) => isFinal(status))).toBe(true);
  const [observed] = await world.store.baseImages.observed([told.image]);
  expect(observed?.image.digest).toBe(told.image.digest);
  return left <= 0;
}

describe('when a process dies, wherever it is,', () => {
  it('the next one goes on, and everything is built once', async () => {
    let steps = 1;
    while (await runWithDeathAt(steps, 'everything')) steps += 1;
    expect(steps).toBeGreaterThan(100);
  });

  it('a look finds what has ended meanwhile', async () => {
    let steps = 1;
    while (await runWithDeathAt(steps, 'no ends')) steps += 1;
    expect(steps).toBeGreaterThan(50);
  });
});
