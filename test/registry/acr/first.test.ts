import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstOf } from '../../../src/registry/acr/first.ts';

describe('the first of many', () => {
  it('are those that sorting all of them puts first', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer(), { maxLength: 2000, size: 'max' }),
        fc.integer({ min: 0, max: 400 }),
        (all, count) => {
          const compare = (a: number, b: number): number => b - a;
          expect(firstOf(all, count, compare)).toEqual([...all].sort(compare).slice(0, count));
        },
      ),
      { numRuns: 50 },
    );
  });
});
