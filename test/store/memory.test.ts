import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { aCampaign, aChange } from './campaign-store-contract.ts';
import { aNewRun, TestClock } from './fixtures.ts';
import { describeRunStore } from './run-store-contract.ts';

describeRunStore('the memory store', async (options) => createMemoryStore(options));

describe('the memory store, as time goes by,', () => {
  it('forgets an idempotency key after a day', async () => {
    const clock = new TestClock();
    const { runs } = createMemoryStore({ clock });
    await runs.create(aNewRun({ idempotencyKey: 'k' }));
    clock.advance(24 * 60 * 60 * 1000 - 1);
    expect(await runs.create(aNewRun({ idempotencyKey: 'k' }))).toMatchObject({ created: false });
    clock.advance(1);
    expect(await runs.create(aNewRun({ idempotencyKey: 'k' }))).toMatchObject({ created: true });
  });

  it('forgets which campaign took an update up 30 days after that campaign was last written', async () => {
    const clock = new TestClock();
    const { campaigns } = createMemoryStore({ clock });
    const day = 24 * 60 * 60 * 1000;
    await campaigns.commit(0, aChange([aCampaign('cp1')]));
    clock.advance(20 * day);
    await campaigns.commit(1, aChange([aCampaign('cp1')]));
    clock.advance(30 * day - 1);
    expect(await campaigns.findByUpdate('update of cp1')).toBe('cp1');
    clock.advance(1);
    expect(await campaigns.findByUpdate('update of cp1')).toBeUndefined();
  });

  it('forgets workers, claims and archived events', async () => {
    const clock = new TestClock();
    const store = createMemoryStore({ clock });
    const { run } = await store.runs.create(aNewRun());
    await store.runs.requestCancel(run.runId, 'admin');
    await store.events.expire(run.runId, 10);
    await store.once.claim('k', 10);
    const engine = { ok: false, reason: 'down' } as const;
    await store.workers.beat({ name: 'w', pool: 'p', concurrency: 1, running: [], engine, startTime: '' });
    clock.advance(9_999);
    expect(await store.events.read(run.runId, 0, 10)).toHaveLength(2);
    expect(await store.once.claim('k', 10)).toBe(false);
    expect(await store.workers.list()).toHaveLength(1);
    clock.advance(5_001);
    expect(await store.events.read(run.runId, 0, 10)).toEqual([]);
    expect(await store.once.claim('k', 10)).toBe(true);
    expect(await store.workers.list()).toEqual([]);
  });
});
