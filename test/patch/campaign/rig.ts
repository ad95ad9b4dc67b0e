import type { Conductor } from '../../../src/patch/campaign/conductor.ts';
import { World, type TestTask } from './world.ts';

/** base → mid → left, right → top */
export const diamond: readonly TestTask[] = [
  { name: 'mid', on: ['base'] },
  { name: 'left', on: ['mid'] },
  { name: 'right', on: ['mid', 'base'] },
  { name: 'top', on: ['left', 'right'] },
];

/** A world with these tasks, whose images are there already, and a process in it. */
export async function openWorld(tasks: readonly TestTask[] = diamond): Promise<{ world: World; conductor: Conductor }> {
  const world = new World();
  for (const { name, makes = [name] } of tasks) for (const one of makes) world.set(one);
  await world.define(...tasks);
  return { world, conductor: world.conductor() };
}

/** Ends the run of a task that is at work, and tells of it. */
export async function finish(
  world: World,
  conductor: Conductor,
  name: string,
  how?: 'new' | 'same' | 'bad' | 'canceled',
) {
  await conductor.runEnded(await world.end(world.runOf(name), how));
}
