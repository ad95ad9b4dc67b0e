import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../../config/properties.ts';
import { createImageGraph } from '../../../src/patch/graph/image-graph.ts';
import { findImpact, type Impact } from '../../../src/patch/impact/impact.ts';
import { digestOf, image, recordOf, trigger, type TestTask } from '../campaign/world.ts';

function impactOf(tasks: readonly TestTask[], names: readonly string[], concurrency = 10): Impact {
  return findImpact(createImageGraph(tasks.map(recordOf)), names.map(image), { concurrency, breakerAfter: 3 });
}

const took = (durationMs: number) => ({ change: { durationMs } });

describe('the impact of a change', () => {
  it('is everything downstream, in order, each once', () => {
    const impact = impactOf(
      [
        { name: 'top', on: ['left', 'right'] },
        { name: 'left', on: ['mid'] },
        { name: 'right', on: ['mid', 'base'] },
        { name: 'mid', on: ['base'] },
        { name: 'other', on: ['else'] },
      ],
      ['base'],
    );
    expect(impact.tasks.map(({ task, level, needs }) => [task, level, needs])).toEqual([
      ['task-mid', 0, []],
      ['task-left', 1, ['task-mid']],
      ['task-right', 1, ['task-mid']],
      ['task-top', 2, ['task-left', 'task-right']],
    ]);
    expect(impact.tasks[2]?.bases).toEqual([image('base'), image('mid')]);
    expect(impact.cycles).toEqual([]);
  });

  it('has times: by the longest way, as many as there are places', () => {
    const tasks = [
      { name: 'aaa', on: ['base'], ...took(10_000) },
      { name: 'bbb', on: ['base'], ...took(4_000) },
      { name: 'ccc', on: ['bbb'], ...took(9_000) },
    ];
    const wide = impactOf(tasks, ['base']);
    expect(wide.durationMs).toBe(13_000);
    expect(wide.tasks.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [0, 10_000],
      [0, 4_000],
      [4_000, 13_000],
    ]);
    const narrow = impactOf(tasks, ['base'], 1);
    expect(narrow.durationMs).toBe(23_000);
    expect(narrow.tasks.map(({ startMs }) => startMs)).toEqual([4_000, 0, 14_000]);
  });

  it('takes the one in the middle for a duration that nobody knows', () => {
    const tasks = [
      { name: 'aaa', on: ['base'], ...took(1_000) },
      { name: 'bbb', on: ['base'], ...took(3_000) },
      { name: 'ccc', on: ['base'], ...took(9_000) },
      { name: 'new', on: ['base'] },
    ];
    const found = impactOf(tasks, ['base']).tasks.find(({ task }) => task === 'task-new');
    expect(found).toMatchObject({ endMs: 3_000 });
    expect(found?.durationMs).toBeUndefined();
  });

  it('goes wave by wave, with what the early ones need', () => {
    const early = { change: { durationMs: 1_000, trigger: { ...trigger, wave: 1 } } };
    const impact = impactOf(
      [
        { name: 'canary', on: ['mid'], ...early },
        { name: 'mid', on: ['base'], ...took(2_000) },
        { name: 'rest', on: ['base'], ...took(500) },
      ],
      ['base'],
    );
    expect(impact.tasks.map(({ task, wave, startMs }) => [task, wave, startMs])).toEqual([
      ['task-mid', 1, 0],
      ['task-rest', 9, 3_000],
      ['task-canary', 1, 2_000],
    ]);
  });

  it('says what is not rebuilt, and why', () => {
    const impact = impactOf(
      [
        { name: 'off', on: ['base'], change: { isEnabled: false } },
        { name: 'app', on: ['base'] },
        { name: 'after', on: ['app'], change: { isEnabled: false } },
      ],
      ['base'],
    );
    expect(impact.notRebuilt).toEqual([
      { task: 'task-off', image: image('base'), because: 'is disabled' },
      { task: 'task-after', image: image('app'), because: 'is disabled' },
    ]);
  });

  it('leaves out what is built on the given digest already', () => {
    const built = (digest: number) => ({
      images: [{ image: image('app'), runtime: { ...image('base'), digest: digestOf(digest) }, buildTime: [] }],
    });
    const graph = createImageGraph([
      recordOf({ name: 'new', on: ['base'], change: built(2) }),
      recordOf({ name: 'old', on: ['base'], change: built(1) }),
    ]);
    const impact = findImpact(graph, [{ ...image('base'), digest: digestOf(2) }], { concurrency: 1 });
    expect(impact.tasks.map(({ task }) => task)).toEqual(['task-old']);
    expect(impact.notRebuilt).toMatchObject([{ task: 'task-new', because: 'is built on it already' }]);
  });

  it('does not start a task whose runs keep failing, but lists what stands on it', () => {
    const impact = impactOf(
      [
        { name: 'broken', on: ['base'], change: { failuresInRow: 3 } },
        { name: 'after', on: ['broken'] },
      ],
      ['base'],
    );
    expect(impact.tasks.map(({ skippedBecause }) => skippedBecause)).toEqual([
      'its last 3 runs of campaigns failed in a row',
      undefined,
    ]);
  });

  it('names circles, and opens each where there is a reason to begin', () => {
    const impact = impactOf(
      [
        { name: 'aaa', on: ['ccc'] },
        { name: 'bbb', on: ['aaa', 'base'] },
        { name: 'ccc', on: ['bbb'] },
        { name: 'end', on: ['ccc'] },
      ],
      ['base'],
    );
    expect(impact.cycles).toEqual([['task-aaa', 'task-bbb', 'task-ccc']]);
    expect(impact.tasks.map(({ task }) => task)).toEqual(['task-bbb', 'task-ccc', 'task-aaa', 'task-end']);
    expect(impact.tasks[0]?.bases).toEqual([image('base')]);
  });

  it('is nothing for an image that nobody stands on, or without a tag', () => {
    expect(impactOf([{ name: 'app', on: ['base'] }], ['other'])).toMatchObject({ tasks: [], durationMs: 0 });
    const graph = createImageGraph([recordOf({ name: 'app', on: ['base'] })]);
    expect(findImpact(graph, [{ registry: 'r.io', repository: 'base' }], { concurrency: 1 }).tasks).toEqual([]);
  });

  it('has every task once, after all that it needs, whatever the graph', () => {
    const any = fc.array(fc.array(fc.nat(14), { maxLength: 4 }), { minLength: 1, maxLength: 14 });
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 4 }), (all, concurrency) => {
        const tasks = all.map((on, at) => ({
          name: `t${String(at)}`,
          on: ['base', ...on.filter((one) => one < all.length && one !== at).map((one) => `t${String(one)}`)],
        }));
        const impact = impactOf(tasks, ['base'], concurrency);
        const names = impact.tasks.map(({ task }) => task);
        expect([...names].sort()).toEqual(tasks.map(({ name }) => `task-${name}`).sort());
        for (const [at, { needs, startMs }] of impact.tasks.entries()) {
          for (const need of needs) {
            expect(names.indexOf(need)).toBeLessThan(at);
            expect(impact.tasks[names.indexOf(need)]?.endMs).toBeLessThanOrEqual(startMs);
          }
        }
        const times = impact.tasks.map(({ startMs }) => startMs);
        for (const time of times) {
          const atWork = impact.tasks.filter(({ startMs, endMs }) => startMs <= time && time < endMs);
          expect(atWork.length).toBeLessThanOrEqual(concurrency);
        }
      }),
    );
  });
});
