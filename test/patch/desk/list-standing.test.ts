import { describe, expect, it } from 'vitest';
import { createGraphCache } from '../../../src/patch/graph/graph-cache.ts';
import { listStanding } from '../../../src/patch/desk/list-standing.ts';
import type { StandingImage, StandingQuery } from '../../../src/patch/desk/ports.ts';
import { digestOf, image, World, type TestTask } from '../campaign/world.ts';

async function setUp(...tasks: readonly TestTask[]) {
  const world = new World();
  await world.define(...tasks);
  const { baseImages } = world.store;
  const list = (query: Partial<StandingQuery> = {}) =>
    listStanding({ baseImages, graph: createGraphCache(baseImages) }, { limit: 1000, ...query });
  return { world, baseImages, list };
}

/** A task that was built on a digest of its base. */
function built(name: string, base: string, on: number): TestTask {
  const images = [{ image: image(name), runtime: { ...image(base), digest: digestOf(on) }, buildTime: [] }];
  return { name, on: [], change: { images, builtTime: '2026-11-21T08:30:00.000Z' } };
}

const names = (images: readonly StandingImage[]): readonly string[] => images.map(({ task }) => task.slice(5));

describe('the list of what stands on what', () => {
  it('says of a base whose changes are not noticed that its images are not rebuilt, and why', async () => {
    const { world, list } = await setUp(built('app', 'base', 6));
    expect((await list()).images[0]).not.toHaveProperty('notRebuiltBecause');
    const { baseImages } = world.store;
    const deps = {
      baseImages,
      graph: createGraphCache(baseImages),
      whyUnnoticed: () => 'its registry is not asked: x',
    };
    expect((await listStanding(deps, { limit: 1 })).images[0]?.notRebuiltBecause).toBe(
      'is not told of changes of its base: its registry is not asked: x',
    );
  });

  it('takes for newest what was seen last, and without that what a task of ours has pushed', async () => {
    const made = { ...image('base'), digest: digestOf(7) };
    const maker = {
      name: 'maker',
      on: [],
      change: { images: [{ image: made, buildTime: [] }], builtTime: '2026-11-21T08:00:00.000Z' },
    };
    const { baseImages, list } = await setUp(built('app', 'base', 6), maker);
    expect((await list()).images).toMatchObject([
      { newestDigest: digestOf(7), isCurrent: false, behindSince: '2026-11-21T08:00:00.000Z' },
    ]);
    const since = '2026-11-21T08:10:00.000Z';
    await baseImages.observe({ image: { ...image('base'), digest: digestOf(6) }, since }, 0);
    const [line] = (await list()).images;
    expect(line).toMatchObject({ newestDigest: digestOf(6), isCurrent: true });
    expect(line).not.toHaveProperty('behindSince');
  });

  it('finds the few that are behind among many, page after page', async () => {
    const tasks = Array.from({ length: 2500 }, (_, at) =>
      built(`n${String(at).padStart(4, '0')}`, 'base', at % 500 === 499 ? 1 : 2),
    );
    const { baseImages, list } = await setUp(...tasks);
    await baseImages.observe(
      { image: { ...image('base'), digest: digestOf(2) }, since: '2026-11-21T08:10:00.000Z' },
      0,
    );
    const first = await list({ isStale: true, limit: 3 });
    expect(names(first.images)).toEqual(['n0499', 'n0999', 'n1499']);
    const second = await list({ isStale: true, limit: 3, after: first.next ?? '' });
    expect(names(second.images)).toEqual(['n1999', 'n2499']);
    expect(second.next).toBeUndefined();
  });

  it('goes on behind a line that is gone by then, and says of a whole last page that it is the last', async () => {
    const { baseImages, list } = await setUp(built('a', 'base', 1), built('b', 'base', 1), built('c', 'base', 1));
    const first = await list({ limit: 1 });
    await baseImages.delete('task-a');
    const rest = await list({ limit: 2, after: first.next ?? '' });
    expect([names(rest.images), rest.next]).toEqual([['b', 'c'], undefined]);
  });

  it('has one line for a base that is named several times in one image', async () => {
    const twice = [image('base'), image('base')];
    const { list } = await setUp({ name: 'a', on: [], change: { images: [{ image: image('a'), buildTime: twice }] } });
    expect((await list()).images).toHaveLength(1);
  });
});
