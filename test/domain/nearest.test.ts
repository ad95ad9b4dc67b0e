import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findNearest, suggest } from '../../src/domain/nearest.ts';

const names = ['timeout', 'startDelay', 'workingDirectory', 'when', 'id', 'env'];

describe('the nearest name', () => {
  it.each([
    ['timout', 'timeout'],
    ['tiemout', 'timeout'],
    ['TIMEOUT', 'timeout'],
    ['working', 'workingDirectory'],
    ['startdelya', 'startDelay'],
    ['wehn', 'when'],
    ['idd', 'id'],
  ])('to %s is %s', (text, name) => {
    expect(findNearest(text, new Set(names))).toBe(name);
  });

  it.each(['timeout', 'zebra', '', 'x'.repeat(65), 'workingMen'])('to %j is none', (text) => {
    expect(findNearest(text, names)).toBeUndefined();
  });

  it('is none when several names begin like the text and none is close', () => {
    expect(findNearest('start', ['startDelayed', 'startAtOnce'])).toBeUndefined();
  });

  it('makes a question', () => {
    expect([suggest('timout', names), suggest('zebra', names)]).toEqual(['did you mean "timeout"?', undefined]);
  });

  it('is one of the names, or none, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.array(fc.string({ maxLength: 40 })), (text, any) => {
        const found = findNearest(text, any);
        expect(found === undefined || (any.includes(found) && found !== text)).toBe(true);
      }),
    );
  });
});
