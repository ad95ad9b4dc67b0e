import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../../config/properties.ts';
import { createImageGraph } from '../../../src/patch/graph/image-graph.ts';
import { findImpact, type Impact } from '../../../src/patch/impact/impact.ts';
import { image, recordOf, trigger, type TestTask } from '../campaign/world.ts';

/** A task that is rebuilt for its first base alone, and only reads the others while it is built. */
const reader = (name: string, on: readonly string[], wave?: number): TestTask => ({
  name,
  on,
  change: { trigger: { ...trigger, ...(wave !== undefined && { wave }) } },
});

function impactOf(tasks: readonly TestTask[]): Impact {
  return findImpact(createImageGraph(tasks.map(recordOf)), [image('base')], { concurrency: 10 });
}

const orderOf = ({ tasks }: Impact) => tasks.map(({ task, level, needs }) => [task, level, needs]);

describe('what a task only reads while it is built', () => {
  it('comes before the task, which is rebuilt for its own base alone', () => {
    const impact = impactOf([reader('app', ['base', 'tools']), { name: 'tools', on: ['base'] }]);
    expect(orderOf(impact)).toEqual([
      ['task-tools', 0, []],
      ['task-app', 1, ['task-tools']],
    ]);
    expect(impact.tasks[1]).toMatchObject({ bases: [image('base')], onlyReads: ['task-tools'] });
    expect(impact.tasks[1]?.startMs).toBe(impact.tasks[0]?.endMs);
  });

  it('does not make the task part of a campaign', () => {
    const impact = impactOf([reader('app', ['other', 'tools']), { name: 'tools', on: ['base'] }]);
    expect(orderOf(impact)).toEqual([['task-tools', 0, []]]);
    expect(impact.notRebuilt).toMatchObject([{ task: 'task-app', image: image('tools') }]);
  });

  it('is not told apart where the task stands on it as well', () => {
    const [first, second] = impactOf([
      reader('app', ['tools', 'tools:extra']),
      { name: 'tools', on: ['base'], makes: ['tools', 'tools:extra'] },
    ]).tasks;
    expect(first?.task).toBe('task-tools');
    expect(second).toMatchObject({ needs: ['task-tools'], bases: [image('tools')] });
    expect(second?.onlyReads).toBeUndefined();
  });

  it('orders nothing where it is pinned by its digest, or an image of the task itself', () => {
    const own = { ...reader('own', ['base', 'shared']), makes: ['own', 'shared'] };
    const pinned = recordOf(reader('pinned', ['base', 'shared']));
    const images = pinned.images.map((one) => ({
      ...one,
      buildTime: one.buildTime.map((base) => ({ ...base, isPinned: true })),
    }));
    const graph = createImageGraph([
      recordOf(own),
      { ...pinned, images },
      recordOf({ name: 'maker', on: ['base'], makes: ['shared'] }),
    ]);
    const { tasks } = findImpact(graph, [image('base')], { concurrency: 1 });
    expect(tasks.map(({ needs }) => needs)).toEqual([[], [], []]);
  });

  it('is in as early a wave as the task that reads it', () => {
    const impact = impactOf([reader('canary', ['base', 'tools'], 1), { name: 'tools', on: ['base'] }]);
    expect(impact.tasks.map(({ task, wave }) => [task, wave])).toEqual([
      ['task-tools', 1],
      ['task-canary', 1],
    ]);
  });

  it('does not hold up what it stands on itself: in a circle, what stands on something goes before what reads it', () => {
    const impact = impactOf([reader('aaa', ['base', 'bbb']), { name: 'bbb', on: ['aaa'] }]);
    expect(orderOf(impact)).toEqual([
      ['task-aaa', 0, []],
      ['task-bbb', 1, ['task-aaa']],
    ]);
    expect(impact.cycles).toEqual([]);
  });

  it('does not hold up tasks that read one another', () => {
    const impact = impactOf([reader('aaa', ['base', 'bbb']), reader('bbb', ['base', 'aaa'])]);
    expect(orderOf(impact)).toEqual([
      ['task-aaa', 0, []],
      ['task-bbb', 0, []],
    ]);
    expect(impact.cycles).toEqual([]);
  });

  it('is no reason to open a circle at one task rather than another', () => {
    const impact = impactOf([
      reader('aaa', ['ccc', 'tools']),
      { name: 'bbb', on: ['aaa', 'base'] },
      { name: 'ccc', on: ['bbb'] },
      { name: 'tools', on: ['base'] },
    ]);
    expect(impact.cycles).toEqual([['task-aaa', 'task-bbb', 'task-ccc']]);
    expect(impact.tasks.map(({ task }) => task)).toEqual(['task-bbb', 'task-tools', 'task-ccc', 'task-aaa']);
  });

  it('comes first whatever the graph, unless they are in a circle, and changes nothing else', () => {
    const some = fc.array(fc.nat(9), { maxLength: 2 });
    const any = fc.array(fc.record({ on: fc.option(fc.nat(9)), reads: some }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(any, (all) => {
        const name = (at: number): string => `t${String(at)}`;
        const tasks = all.map(({ on, reads }, at) => {
          const runtime = on === null || on >= all.length || on === at ? 'base' : name(on);
          const others = reads.filter((one) => one < all.length && one !== at).map(name);
          return reader(name(at), [runtime, ...new Set(others.filter((one) => one !== runtime))]);
        });
        const impact = impactOf(tasks);
        const alone = impactOf(tasks.map(({ name: own, on }) => reader(own, on.slice(0, 1))));
        const membersOf = (one: Impact) => one.tasks.map(({ task }) => task).sort();
        expect(membersOf(impact)).toEqual(membersOf(alone));
        expect(impact.cycles).toEqual(alone.cycles);
        expect(new Set(membersOf(impact)).size).toBe(impact.tasks.length);
        const places = new Map(impact.tasks.map(({ task }, at) => [task as string, at]));
        for (const { name: own, on } of tasks) {
          const place = places.get(`task-${own}`);
          if (place === undefined) continue;
          for (const read of on.map((one) => places.get(`task-${one}`))) {
            const isBefore = read === undefined || read < place;
            expect(isBefore || reaches(tasks, nameAt(impact, read), own)).toBe(true);
          }
        }
      }),
    );
  });
});

const nameAt = ({ tasks }: Impact, at: number): string => tasks[at]?.task.slice(5) ?? '';

/** True when a task stands on or reads another, also by way of others. */
function reaches(tasks: readonly TestTask[], from: string, to: string): boolean {
  const seen = new Set([from]);
  for (const one of seen) for (const base of tasks.find(({ name }) => name === one)?.on ?? []) seen.add(base);
  return seen.has(to);
}
