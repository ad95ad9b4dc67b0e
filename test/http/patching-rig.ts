import { createGraphCache } from '../../src/patch/graph/graph-cache.ts';
import { createPatchingDesk } from '../../src/patch/desk/desk.ts';
import type { PatchJob } from '../../src/queue/ports.ts';
import { image, taskName, trigger, World, type TestTask } from '../patch/campaign/world.ts';
import { startRig } from './rig.ts';

/** Two images in a row on one base, one beside them that only builds with it, and one whose task is disabled. */
export const family: readonly TestTask[] = [
  { name: 'app', on: ['base'], change: { durationMs: 20_000 } },
  { name: 'web', on: ['app'], change: { durationMs: 5000 } },
  { name: 'tool', on: ['other', 'base'], change: { trigger } },
  { name: 'idle', on: ['base'], change: { isEnabled: false } },
];

/** The API on a world of base images whose runs the test begins and ends. */
export async function startPatchingRig(tasks: readonly TestTask[] = family) {
  const world = new World();
  const { store, clock } = world;
  const published: PatchJob[] = [];
  const conductor = world.conductor();
  await world.define(...tasks);
  const patching = createPatchingDesk({
    baseImages: store.baseImages,
    campaigns: store.campaigns,
    graph: createGraphCache(store.baseImages),
    runs: { get: async (id) => [...world.runs.values()].find(({ run }) => run.runId === id)?.run },
    workers: store.workers,
    queue: { publish: async (job) => void published.push(job) },
    conductor,
    platformsOf: world.indexes.platformsOf,
    policy: () => world.policy,
    clock,
  });
  const rig = await startRig({ store, clock, patching, config: { registryHost: 'r.io' } });
  /** Ends the run of a task that is at work, and lets the campaign go on. */
  const end = async (name: string, how?: 'new' | 'same' | 'bad' | 'canceled'): Promise<void> => {
    await conductor.runEnded(await world.end(world.runOf(name), how));
  };
  return { ...rig, world, conductor, published, end };
}

export { image, taskName };
