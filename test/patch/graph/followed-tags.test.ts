import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../../config/properties.ts';
import { compareTags, newestTag, parseTagPattern } from '../../../src/patch/graph/followed-tags.ts';

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
