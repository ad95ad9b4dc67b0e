import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import type { RunStore, Store } from '../../src/store/ports.ts';
import { aNewRun, TestClock } from '../store/fixtures.ts';
import { startRig } from './rig.ts';

const names = (body: { value: { name: string }[] }): string[] => body.value.map(({ name }) => name);

/** A store that never looks at more than two runs for a page. */
async function createSlowStore(count: number): Promise<Store> {
  const store = createMemoryStore({ clock: new TestClock() });
  for (let index = 0; index < count; index++) await store.runs.create(aNewRun());
  const list: RunStore['list'] = async ({ conditions, ...query }) => {
    const { runs, next } = await store.runs.list({ ...query, conditions: [], limit: Math.min(2, query.limit) });
    const wanted = runs.filter(({ runId }) => conditions.every(({ value }) => runId.includes(value)));
    return { runs: wanted, ...(next !== undefined && { next }) };
  };
  const runs = Object.assign(Object.create(store.runs) as RunStore, { list });
  return { ...store, runs };
}

describe('a list whose pages are short because finding more would take long', () => {
  const filter = `$filter=${encodeURIComponent("contains(runId,'3')")}`;

  it('is as long with $top as was asked for', async () => {
    const rig = await startRig({ store: await createSlowStore(9) });
    const { body } = await rig.api('GET', `/runs?$top=5`);
    expect(names(body)).toEqual(['ca9', 'ca8', 'ca7', 'ca6', 'ca5']);
    expect(body).not.toHaveProperty('nextLink');
    expect(names((await rig.api('GET', `/runs?$top=1&${filter}`)).body)).toEqual(['ca3']);
    expect(names((await rig.api('GET', `/runs?$top=20`)).body)).toHaveLength(9);
  });

  it('goes on at nextLink without $top, also from an empty page', async () => {
    const rig = await startRig({ store: await createSlowStore(9) });
    const { body } = await rig.api('GET', `/runs?${filter}`);
    expect(names(body)).toEqual([]);
    expect(body.nextLink).toContain('skiptoken');
  });
});
