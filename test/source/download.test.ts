import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import { FinalAnswer, withRetries } from '../../src/source/download.ts';
import { testLimits } from './tar-rig.ts';

const away = () => fail('source-unavailable', 'the registry r.io cannot be reached: connection refused');

/** Downloads from a source that is back at a try, or never; the pauses in between, in milliseconds. */
async function download({ isOwn = false, backAt = Infinity, random = 0, error = away() }) {
  const pauses: number[] = [];
  let tries = 0;
  const sleep = async (ms: number): Promise<void> => void pauses.push(ms);
  const result = withRetries({ limits: testLimits, isOwn, waiting: { random: () => random, sleep } }, async () => {
    tries += 1;
    if (tries < backAt) throw error;
    return 'came';
  });
  const end = await result.catch((reason: unknown) => reason);
  return { end, tries, pauses, total: pauses.reduce((sum, ms) => sum + ms, 0) };
}

describe('a download', () => {
  it('from elsewhere is tried three times, with pauses that grow', async () => {
    expect(await download({ random: 0.5 })).toMatchObject({ end: away(), tries: 3, pauses: [500, 1000] });
  });

  it('from our own registry goes on for half a minute at least, and a minute and a half at most', async () => {
    const [least, most] = [await download({ isOwn: true }), await download({ isOwn: true, random: 1 })];
    expect(least.end).toEqual(away());
    expect(least.total).toBeGreaterThanOrEqual(30_000);
    expect(most.total).toBeLessThan(100_000);
    expect(least.pauses).toEqual([...least.pauses].sort((a, b) => a - b));
  });

  it('comes when its source is back', async () => {
    expect(await download({ isOwn: true, backAt: 5 })).toMatchObject({ end: 'came', tries: 5 });
  });

  it('is not tried again after a final answer, and after what is no trouble of the source', async () => {
    const final = new FinalAnswer({ reason: 'source-unavailable', message: 'status 404' });
    for (const error of [final, fail('too-large', 'x')]) {
      expect(await download({ isOwn: true, error })).toMatchObject({ end: error, tries: 1, pauses: [] });
    }
  });

  it('ends with the reason of a cancel, also while it waits', async () => {
    const stopper = new AbortController();
    const isOver = withRetries({ limits: testLimits, isOwn: true, signal: stopper.signal }, async () => {
      setImmediate(() => {
        stopper.abort('canceled by ann');
      });
      throw away();
    });
    await expect(isOver).rejects.toBe('canceled by ann');
  });

  it('has no more time than the limits allow, also while it waits', async () => {
    const limits = { ...testLimits, timeoutMs: 1 };
    const isOver = withRetries({ limits, isOwn: true }, () => Promise.reject(away()));
    await expect(isOver).rejects.toMatchObject({ failure: { reason: 'timed-out' }, cause: away() });
  });
});
