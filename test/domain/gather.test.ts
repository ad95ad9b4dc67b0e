import { describe, expect, it } from 'vitest';
import { gather } from '../../src/domain/gather.ts';

function setUp(most = 3) {
  const batches: (readonly string[])[] = [];
  const shout = gather(async (words: readonly string[]) => {
    batches.push(words);
    if (words.includes('bad')) throw new Error('no');
    return words.map((word) => word.toUpperCase());
  }, most);
  return { batches, shout };
}

describe('calls that are gathered', () => {
  it('share one piece of work when they are made in the same turn, and each gets its own result', async () => {
    const { batches, shout } = setUp();
    expect(await Promise.all(['a', 'b', 'a'].map(shout))).toEqual(['A', 'B', 'A']);
    expect(batches).toEqual([['a', 'b', 'a']]);
    expect(await shout('c')).toBe('C');
    expect(batches).toHaveLength(2);
  });

  it('are never more than the most at a time', async () => {
    const { batches, shout } = setUp(2);
    expect(await Promise.all(['a', 'b', 'c', 'd', 'e'].map(shout))).toEqual(['A', 'B', 'C', 'D', 'E']);
    expect(batches).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('fail together when their work fails, and leave those before and after alone', async () => {
    const { shout } = setUp(2);
    const results = await Promise.allSettled(['bad', 'a', 'b'].map(shout));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(await shout('c')).toBe('C');
  });

  it('do not wait for work that goes on', async () => {
    const waiting: (() => void)[] = [];
    const wait = gather(async (items: readonly string[]) => {
      if (items.includes('slow')) await new Promise<void>((resolve) => waiting.push(resolve));
      return items;
    }, 9);
    const slow = wait('slow');
    await expect.poll(() => waiting).toHaveLength(1);
    expect(await wait('quick')).toBe('quick');
    waiting[0]?.();
    expect(await slow).toBe('slow');
  });
});
