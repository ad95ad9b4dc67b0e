import { describe, expect, it } from 'vitest';
import type { TaskName } from '../../src/domain/task.ts';
import type { PatchJob } from '../../src/queue/ports.ts';
import { createMemoryPatchQueue } from '../../src/queue/memory/patch.ts';
import { patchKeyOf, patchPause } from '../../src/queue/patch-job.ts';
import { aLearn, aTold, describePatchQueue, look } from './patch-contract.ts';

describePatchQueue('work of patching in memory', async () => createMemoryPatchQueue({ pauseMs: 10 }));

describe('the key of a job', () => {
  it('is the same for the same job and another for any other', () => {
    const jobs = [look, aLearn('a'), aLearn('a', 2), aLearn('b'), aTold('1'), aTold('2'), aTold('1', { by: 'admin' })];
    expect(new Set(jobs.map(patchKeyOf)).size).toBe(jobs.length);
    expect(patchKeyOf(aLearn('A'))).toBe(patchKeyOf(aLearn('a')));
    expect(patchKeyOf(aTold('1', { by: undefined } as object))).toBe(patchKeyOf(aTold('1')));
  });

  it('of what an endpoint is told is the same for the same run, whenever it is told', () => {
    const tell = (campaign: string, number: number, at = ''): PatchJob => ({
      kind: 'tell',
      news: { task: 'app-a' as TaskName, campaign, try: number, images: [], at },
    });
    expect(patchKeyOf(tell('cp1', 1))).toBe(patchKeyOf(tell('cp1', 1, 'later')));
    expect(new Set([tell('cp1', 1), tell('cp1', 2), tell('cp2', 1)].map(patchKeyOf)).size).toBe(3);
  });

  it('holds no colon, whatever the image', () => {
    for (const job of [look, aLearn('a'), aTold('a:b')]) expect(patchKeyOf(job)).toMatch(/^[a-z]+-[0-9a-f]{32}$/);
  });
});

describe('the pause before another try', () => {
  it('doubles, ends at a bound of its own for each kind, and is shortened by up to half', () => {
    expect([1, 2, 3].map((tries) => patchPause('told', tries, 1000, 1))).toEqual([1000, 2000, 4000]);
    expect(patchPause('told', 1, 1000, 0)).toBe(500);
    expect([100, 1000].map((tries) => patchPause('told', tries, 1000, 1))).toEqual([60_000, 60_000]);
    expect(patchPause('look', 100, 1000, 1)).toBe(5000);
  });
});
