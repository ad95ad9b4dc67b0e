import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../../config/properties.ts';
import type { TaskImages } from '../../../src/domain/base-image.ts';
import type { Task } from '../../../src/domain/task.ts';
import {
  argumentsOfTask,
  argumentsOfUpdate,
  compareTags,
  newestTag,
  parseTagPattern,
  rememberFollowed,
} from '../../../src/patch/graph/followed-tags.ts';
import { dockerTask, trigger, withTrigger } from '../learn/rig.ts';

describe('a pattern of tags', () => {
  it('stands for versions, not for other lines of images', () => {
    const pattern = parseTagPattern('node:20.*');
    expect(pattern).toMatchObject({ registry: 'docker.io', repository: 'library/node' });
    expect(['20.1', '20.11.1', '20', '20.1-alpine', '120.1', '20.x'].filter((tag) => pattern?.matches(tag))).toEqual([
      '20.1',
      '20.11.1',
    ]);
    expect(parseTagPattern('r.io:5000/team/app:v*-slim')?.matches('v1.2-slim')).toBe(true);
  });

  it('is none without a tag or a name', () => {
    expect(['node', 'r.io:5000/app', ':1.*', 'node:', 'No Such:1.*', 'node:1.*(a+)+'].map(parseTagPattern)).toEqual(
      Array(6).fill(undefined),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (pattern, tag) => {
        parseTagPattern(pattern)?.matches(tag);
      }),
    );
  });
});

describe('tags', () => {
  it('are put in the order of their versions', () => {
    const tags = ['20.10', '20.9', '20.9.1', '3', '20.10.0', '20.10-b', '20.10-a'];
    expect(tags.sort(compareTags)).toEqual(['3', '20.9', '20.9.1', '20.10', '20.10-a', '20.10-b', '20.10.0']);
  });

  it('have one order', () => {
    const tag = fc.stringMatching(/^[0-9a-c.-]{1,8}$/);
    fc.assert(
      fc.property(tag, tag, tag, (a, b, c) => {
        expect(Math.sign(compareTags(a, b)) + Math.sign(compareTags(b, a))).toBe(0);
        const [first, second, third] = [a, b, c].sort(compareTags) as [string, string, string];
        expect(compareTags(first, second)).toBeLessThanOrEqual(0);
        expect(compareTags(second, third)).toBeLessThanOrEqual(0);
        expect(compareTags(first, third)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('are followed to the newest of the same repository', () => {
    const pattern = parseTagPattern('r.io/node:20.*');
    const images = ['20.2', '20.10', '21.0', 'latest'].map((tag) => ({ registry: 'r.io', repository: 'node', tag }));
    const other = { registry: 'r.io', repository: 'other', tag: '20.99' };
    expect(pattern && newestTag(pattern, [...images, other])).toBe('20.10');
    expect(pattern && newestTag(pattern, [other])).toBeUndefined();
  });
});

const node = (tag: string) => ({ registry: 'r.io', repository: 'node', tag });
const follow = [{ pattern: 'r.io/node:v*', argument: 'NODE' }];
const given = (value: string) => ({ name: 'NODE', value, isSecret: false, isFollowed: true as const });

describe('a tag that is followed', () => {
  const task = (own: readonly string[] = [], more: object = { follow }): Task =>
    dockerTask({ arguments: own.map((value) => ({ name: 'NODE', value, isSecret: false })) }, withTrigger(more));
  const record = (followed: readonly string[], base: string): TaskImages => ({
    task: task().name,
    taskVersion: 1,
    learned: { from: 'context', at: '2026-11-21T10:00:00.000Z' },
    images: [{ runtime: node(base), buildTime: [] }],
    stepImages: [],
    problems: [],
    trigger: { ...trigger, follow },
    isEnabled: true,
    failuresInRow: 0,
    followed: followed.map(node),
  });

  it('is given to a run for a new image, and to those after it', () => {
    expect(argumentsOfUpdate(record([], 'v1'), [node('v10')])).toEqual([given('v10')]);
    expect(argumentsOfUpdate(record(['v10'], 'v10'), [{ ...node('x'), repository: 'other' }])).toEqual([given('v10')]);
    expect(argumentsOfTask(task(), record(['v10'], 'v10'))).toEqual([given('v10')]);
  });

  it('is none that the task names itself: its file may name a newer one by now', () => {
    expect(argumentsOfTask(task(), record([], 'v1'))).toEqual([]);
    expect(argumentsOfTask(task(), undefined)).toEqual([]);
    expect(argumentsOfUpdate(record([], 'v1'), [node('v1')])).toEqual([]);
  });

  it('counts more than an older value of the task’s own, and less than a newer one', () => {
    expect(argumentsOfTask(task(['v9']), record(['v10'], 'v10'))).toEqual([given('v10')]);
    expect(argumentsOfTask(task(['latest']), record(['v10'], 'v10'))).toEqual([given('v10')]);
    expect(argumentsOfTask(task(['v11']), record(['v10'], 'v10'))).toEqual([]);
  });

  it('is forgotten when the task follows others, or none', () => {
    const other = [{ pattern: 'r.io/node:w*', argument: 'NODE' }];
    expect(argumentsOfTask(task([], { follow: other }), record(['v10'], 'v10'))).toEqual([]);
    expect(argumentsOfTask(task([], {}), record(['v10'], 'v10'))).toEqual([]);
    expect(rememberFollowed([node('v10')], { ...trigger, follow: other }, [])).toEqual([]);
  });

  it('is remembered of runs that were given it, the newest one, whoever ends last', () => {
    const follows = { ...trigger, follow };
    expect(rememberFollowed(undefined, follows, [given('v10')])).toEqual([node('v10')]);
    expect(rememberFollowed([node('v10')], follows, [given('v9')])).toEqual([node('v10')]);
    expect(rememberFollowed([node('v10')], follows, [{ name: 'NODE', value: 'v11', isSecret: false }])).toEqual([
      node('v10'),
    ]);
  });
});
