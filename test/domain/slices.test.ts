import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inSlices } from '../../src/domain/slices.ts';

describe('working in slices', () => {
  it('gives every result in the order of the items, whatever the sizes and however long each takes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3)), fc.integer({ min: 1, max: 5 }), async (items, size) => {
        const sizes: number[] = [];
        const results = await inSlices(items, size, async (slice) => {
          sizes.push(slice.length);
          for (let turn = slice[0] ?? 0; turn > 0; turn -= 1) await Promise.resolve();
          return slice.map((item) => item * 2);
        });
        expect(results).toEqual(items.map((item) => item * 2));
        expect(sizes.every((one, at) => one === size || at === sizes.length - 1)).toBe(true);
      }),
    );
  });

  it('begins the next slices while one is at work, and no more than two of them', async () => {
    const begun: { slice: readonly number[]; end: () => void }[] = [];
    const work = inSlices([1, 2, 3, 4, 5, 6, 7], 2, (slice) => {
      return new Promise<readonly number[]>((resolve) => {
        begun.push({
          slice,
          end: () => {
            resolve(slice);
          },
        });
      });
    });
    const slices = (): readonly (readonly number[])[] => begun.map(({ slice }) => slice);
    await expect.poll(slices).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    begun[1]?.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toHaveLength(3);
    begun[0]?.end();
    await expect.poll(() => begun.length).toBe(4);
    for (const { end } of begun) end();
    expect(await work).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('rejects as the first slice that does, begins no other, and waits for those it had begun', async () => {
    const ended: number[] = [];
    const work = inSlices([1, 2, 3, 4, 5], 1, async ([item = 0]) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (item === 1) throw new Error('no');
      await new Promise((resolve) => setImmediate(resolve));
      ended.push(item);
      return [item];
    });
    await expect(work).rejects.toThrow('no');
    expect(ended).toEqual([2, 3]);
  });
});
