import { describe, expect, it } from 'vitest';
import { forEachBounded, Gate } from '../../src/blob/s3/bounded.ts';
import { maxUploadBytes, newPieceKey, wholeBytesAt } from '../../src/blob/s3/pieces.ts';

describe('the pieces of an upload to S3', () => {
  it('are no more than an object may have parts, and never smaller than a part may be', () => {
    let pieces = 0;
    for (let offset = 0; offset < maxUploadBytes; offset += wholeBytesAt(offset)) {
      expect(wholeBytesAt(offset)).toBeGreaterThanOrEqual(5 * 1024 ** 2);
      pieces += 1;
    }
    expect(pieces).toBe(10_000);
    expect(maxUploadBytes).toBeGreaterThan(351 * 1024 ** 3);
  });

  it('have keys that sort by their place, and none twice', () => {
    const keys = [0, 8, 10, 9_007_199_254_740_991].map((offset) => newPieceKey('staged/u/', offset));
    expect([...keys].sort()).toEqual(keys);
    expect(newPieceKey('staged/u/', 0)).not.toBe(keys[0]);
  });
});

describe('bounded work', () => {
  const width = 3;
  const measured = () => {
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    return { work, most: () => most };
  };

  it('goes through a gate so many at a time, also after some of it failed', async () => {
    const { work, most } = measured();
    const gate = new Gate(width);
    const failing = Array.from({ length: 5 }, () => gate.run(() => Promise.reject(new Error('no'))));
    await Promise.allSettled(failing);
    const all = Array.from({ length: 20 }, () => gate.run(work));
    expect(gate.busy).toBe(20);
    await Promise.all(all);
    expect([most(), gate.busy]).toEqual([width, 0]);
  });

  it('is done for each item once, so many at a time', async () => {
    const { work, most } = measured();
    const seen: number[] = [];
    await forEachBounded([5, 6, 7, 8, 9], width, async (item) => {
      seen.push(item);
      await work();
    });
    expect([seen.sort(), most()]).toEqual([[5, 6, 7, 8, 9], width]);
    await forEachBounded([], width, () => Promise.reject(new Error('there is nothing to do')));
  });

  it('begins nothing more once some of it has failed, and waits for what goes on', async () => {
    const ended: number[] = [];
    const all = forEachBounded([0, 1, 2, 3, 4, 5], 2, async (item) => {
      if (item === 0) throw new Error('the first');
      await new Promise((resolve) => setImmediate(resolve));
      ended.push(item);
    });
    await expect(all).rejects.toThrow('the first');
    expect(ended).toEqual([1]);
  });
});
