import { describe, expect, it } from 'vitest';
import { readAhead } from '../../src/source/read-ahead.ts';

async function* count(to: number): AsyncGenerator<number> {
  for (let next = 1; next <= to; next += 1) yield next;
}

describe('readAhead', () => {
  it('keeps the order, though later work ends first, and begins no more than it may', async () => {
    const open: (() => void)[] = [];
    const results: number[] = [];
    let most = 0;
    const work = (item: number): Promise<number> => {
      const done = new Promise<void>((resolve) => open.push(resolve));
      most = Math.max(most, open.length);
      // The last one begun ends first.
      if (open.length === 3 || item === 7) for (const resolve of open.splice(0).reverse()) resolve();
      return done.then(() => item);
    };
    for await (const result of readAhead(count(7), 3, work)) results.push(result);
    expect(results).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it('ends at the first error, and waits for what was begun', async () => {
    let ended = 0;
    const work = async (item: number): Promise<number> => {
      await new Promise(setImmediate);
      ended += 1;
      if (item === 2) throw new Error('the second');
      return item;
    };
    const results: number[] = [];
    const reading = (async () => {
      for await (const result of readAhead(count(9), 4, work)) results.push(result);
    })();
    await expect(reading).rejects.toThrow('the second');
    expect(results).toEqual([1]);
    const before = ended;
    await new Promise(setImmediate);
    expect(ended).toBe(before);
  });
});
