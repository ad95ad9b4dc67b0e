import { describe, expect, it } from 'vitest';
import { createGraphCache } from '../../../src/patch/graph/graph-cache.ts';
import { createImageGraph } from '../../../src/patch/graph/image-graph.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import { TestClock } from '../../store/fixtures.ts';
import { digestOf, image, keyOf, recordOf, taskName, trigger } from '../campaign/world.ts';

const key = keyOf(image('base'));

function reasonOf(record: Partial<ReturnType<typeof recordOf>>): string | undefined {
  const graph = createImageGraph([recordOf({ name: 'app', on: ['base'], change: record })]);
  const [dependant] = graph.dependants(key);
  expect(dependant).toBeDefined();
  return dependant?.because;
}

describe('the graph of images', () => {
  it('knows who stands on an image and who makes it', () => {
    const graph = createImageGraph([recordOf({ name: 'mid', on: ['base'] }), recordOf({ name: 'app', on: ['mid'] })]);
    expect([...graph.dependants(key)].map(({ task }) => task.name)).toEqual(['task-mid']);
    expect([...graph.makers('r.io/mid:latest')]).toEqual(['task-mid']);
    expect(graph.dependant('r.io/mid:latest', 'task-app')?.base.kind).toBe('runtime');
    expect(graph.task('TASK-APP')?.record.task).toBe('task-app');
    expect([...graph.dependants('r.io/none:latest')]).toEqual([]);
  });

  it('forgets what a task stood on when it is changed or removed', () => {
    const graph = createImageGraph([recordOf({ name: 'app', on: ['base'] })]);
    graph.put(recordOf({ name: 'app', on: ['other'] }));
    expect([...graph.dependants(key)]).toEqual([]);
    expect([...graph.dependants('r.io/other:latest')]).toHaveLength(1);
    graph.remove(taskName('app'));
    expect(graph.size).toBe(0);
    expect([...graph.dependants('r.io/other:latest')]).toEqual([]);
    expect([...graph.makers('r.io/app:latest')]).toEqual([]);
  });

  it('says why a task is not rebuilt', () => {
    expect(reasonOf({})).toBeUndefined();
    expect(reasonOf({ isEnabled: false })).toBe('is disabled');
    expect(reasonOf({ trigger: { ...trigger, status: 'Disabled' } })).toBe('has its base image trigger disabled');
    const { trigger: _trigger, ...untriggered } = recordOf({ name: 'app', on: ['base'] });
    const [dependant] = createImageGraph([untriggered]).dependants(key);
    expect(dependant?.because).toBe('has no base image trigger');
    const pinned = { ...image('base'), digest: digestOf(1), isPinned: true };
    expect(reasonOf({ images: [{ runtime: pinned, buildTime: [] }] })).toBe('pins it by its digest');
    expect(reasonOf({ images: [{ image: image('base'), runtime: image('base'), buildTime: [] }] })).toBe(
      'makes it itself',
    );
  });

  it('counts build-time bases for triggers of type All, and images of steps where they are asked for', () => {
    const buildTime = [{ buildTime: [image('base')] }];
    const all = { ...trigger, baseImageTriggerType: 'All' } as const;
    expect(reasonOf({ images: buildTime })).toMatch('only built with it');
    expect(reasonOf({ images: buildTime, trigger: all })).toBeUndefined();
    const steps = { images: [], stepImages: [image('base')] };
    expect(reasonOf({ ...steps, trigger: all })).toMatch('only runs a step');
    expect(reasonOf({ ...steps, trigger: { ...all, includesSteps: true } })).toBeUndefined();
    expect(reasonOf({ ...steps, trigger: { ...trigger, includesSteps: true } })).toMatch('only runs a step');
  });

  it('takes an image for a runtime base that is both', () => {
    const both = [
      { image: image('one'), buildTime: [{ ...image('base'), digest: digestOf(1) }] },
      { image: image('two'), runtime: { ...image('base'), digest: digestOf(2) }, buildTime: [] },
    ];
    const graph = createImageGraph([recordOf({ name: 'app', on: ['base'], change: { images: both } })]);
    const [dependant] = graph.dependants(key);
    expect(dependant?.base).toMatchObject({ kind: 'runtime', digests: [digestOf(2), digestOf(1)] });
  });
});

describe('the cached graph', () => {
  it('takes in what has changed since it was read last', async () => {
    const { baseImages } = createMemoryStore({ clock: new TestClock() });
    const cache = createGraphCache(baseImages);
    expect((await cache.read()).size).toBe(0);
    await baseImages.put(recordOf({ name: 'app', on: ['base'] }));
    await baseImages.put(recordOf({ name: 'mid', on: ['base'] }));
    const [graph] = await Promise.all([cache.read(), cache.read()]);
    expect([...graph.dependants(key)]).toHaveLength(2);
    await baseImages.delete(taskName('app'));
    expect([...(await cache.read()).dependants(key)]).toHaveLength(1);
  });

  it('goes on after the store was away', async () => {
    const { baseImages } = createMemoryStore({ clock: new TestClock() });
    let isAway = true;
    const cache = createGraphCache({
      changes: async (cursor) => {
        if (isAway) throw new Error('away');
        return baseImages.changes(cursor);
      },
    });
    await expect(cache.read()).rejects.toThrow('away');
    isAway = false;
    expect((await cache.read()).size).toBe(0);
  });
});
