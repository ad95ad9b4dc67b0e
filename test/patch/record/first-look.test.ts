import { describe, expect, it } from 'vitest';
import { createFirstLook } from '../../../src/patch/record/first-look.ts';
import type { PatchJob } from '../../../src/queue/ports.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import { base, digest, ofTask } from './rig.ts';

const own = { registry: 'reg.test:5000', repository: 'base', tag: 'v1' };
const other = { ...own, tag: 'v2' };
const clock = { now: () => 0 };

async function setUp() {
  const store = createMemoryStore({ clock });
  const jobs: PatchJob[] = [];
  const look = createFirstLook({
    observed: (images) => store.baseImages.observed(images),
    registryHost: 'Reg.test:5000',
    publish: async (job) => void jobs.push(job),
    clock,
  });
  return { store, jobs, look };
}

describe('the first look at a base', () => {
  it('is taken after a run, where the base was pushed to our registry before anything stood on it', async () => {
    const { look, jobs } = await setUp();
    const dependencies = [
      { runtime: { ...own, digest: digest('a') }, buildTime: [{ ...other, digest: digest('b') }, own, base] },
    ];
    await look(ofTask({ dependencies }));
    const at = '1970-01-01T00:00:00.000Z';
    expect(jobs).toEqual([own, other].map((image) => ({ kind: 'told', update: { image, source: 'poll', at } })));
  });

  it('is not taken at what was seen already or is pinned, nor after a run that failed or is of no task', async () => {
    const { look, jobs, store } = await setUp();
    await store.baseImages.observe({ image: { ...own, digest: digest('a') }, since: '' }, 0);
    await look(ofTask({ dependencies: [{ runtime: own, buildTime: [{ ...other, isPinned: true }] }] }));
    const dependencies = [{ runtime: other, buildTime: [] }];
    await look(ofTask({ dependencies, status: 'Failed' }));
    const { task: _, ...quick } = ofTask({ dependencies });
    await look(quick);
    expect(jobs).toEqual([]);
  });
});
