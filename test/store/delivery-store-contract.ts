import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import type { TaskName } from '../../src/domain/task.ts';
import type { Delivery, Store } from '../../src/store/ports.ts';
import { useStore, type OpenStore } from './fixtures.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** A delivery that has just arrived; `change` overrides. */
export function aDelivery(id: string, change: Partial<Omit<Delivery, 'arrivals'>> = {}): Omit<Delivery, 'arrivals'> {
  return {
    id,
    receivedTime: '2026-11-21T09:00:00.000Z',
    provider: 'github',
    event: 'push',
    repository: 'github.com/a/b',
    ref: 'refs/heads/main',
    status: 'received',
    verdicts: [],
    notes: [],
    ...change,
  };
}

async function idsOf(store: Store, query: { limit: number; after?: string; hook?: string }) {
  const { deliveries, next } = await store.deliveries.list(query);
  return { ids: deliveries.map(({ id }) => id), next };
}

/** The part of the store's contract about webhook deliveries (src/store/ports.ts). */
export function describeDeliveryStore(open: OpenStore): void {
  describe('deliveries', () => {
    const { at } = useStore(open);
    const done = { status: 'done', verdicts: [], notes: [] } as const;

    it('are kept with what they carried', async () => {
      const payload = `{"body":"\u0000ü😀${'x'.repeat(100_000)}"}`;
      const received = await at.store.deliveries.receive(aDelivery('d 1:é'), payload);
      expect(received).toEqual({ delivery: { ...aDelivery('d 1:é'), arrivals: 1 }, isNew: true });
      expect(await at.store.deliveries.get('d 1:é')).toEqual(received.delivery);
      expect(await at.store.deliveries.payload('d 1:é')).toBe(payload);
      expect(await at.store.deliveries.get('other')).toBeUndefined();
      expect(await at.store.deliveries.payload('other')).toBeUndefined();
    });

    it('that arrive again are counted, and nothing else of them changes', async () => {
      const { deliveries } = at.store;
      const calls = Array.from({ length: 20 }, () => deliveries.receive(aDelivery('d1'), 'first'));
      const results = await Promise.all(calls);
      expect(results.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect(results.map(({ delivery }) => delivery.arrivals).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
      const again = await deliveries.receive(aDelivery('d1', { provider: 'gitlab', event: 'tag' }), 'second');
      expect(again).toEqual({ delivery: { ...aDelivery('d1'), arrivals: 21 }, isNew: false });
      expect(await deliveries.payload('d1')).toBe('first');
    });

    it('that arrive at the same moment are kept in their order, one that is among them twice once', async () => {
      const { deliveries } = at.store;
      await deliveries.receive(aDelivery('d0'), 'p0');
      const hook = { hook: 'Build-App' as TaskName };
      const ids = ['d1', 'd2', 'd0', 'd1', ...Array.from({ length: 80 }, (_, index) => `e${index}`), 'd2'];
      const results = await Promise.all(ids.map((id) => deliveries.receive(aDelivery(id, hook), `payload of ${id}`)));
      expect(results.map(({ delivery }) => delivery.id)).toEqual(ids);
      expect(results.filter(({ isNew }) => isNew)).toHaveLength(82);
      expect(results.map(({ delivery }) => delivery.arrivals)).toEqual([1, 1, 2, 2, ...Array<number>(80).fill(1), 2]);
      const wanted = ['d1', 'd2', ...ids.filter((id) => id.startsWith('e'))].reverse();
      expect((await idsOf(at.store, { limit: 100 })).ids).toEqual([...wanted, 'd0']);
      expect((await idsOf(at.store, { limit: 100, hook: 'build-app' })).ids).toEqual(wanted);
      expect(await deliveries.payload('e79')).toBe('payload of e79');
      expect(await deliveries.payload('d0')).toBe('p0');
    });

    it('that arrive at the same moment push out as many old ones, with all that belongs to them', async () => {
      const deliveryLimits = { count: 40, ageMs: 30 * dayMs, payloadBytes: 1000 };
      const store = await open({ clock: at.clock, deliveryLimits });
      const hook = { hook: 'build-app' as TaskName };
      const ids = Array.from({ length: 200 }, (_, index) => `d${index}`);
      for (const part of [ids.slice(0, 100), ids.slice(100)]) {
        await Promise.all(part.map((id) => store.deliveries.receive(aDelivery(id, hook), 'p')));
        await Promise.all(part.slice(0, 20).map((id) => store.deliveries.finish(id, done)));
      }
      const newest = ids.slice(-40).reverse();
      expect((await idsOf(store, { limit: 300 })).ids).toEqual(newest);
      expect((await idsOf(store, { limit: 300, hook: 'build-app' })).ids).toEqual(newest);
      expect(await store.deliveries.payload('d100')).toBeUndefined();
      await store.close();
    });

    it('say what they came to, also to whoever delivers them again', async () => {
      const { deliveries } = at.store;
      await deliveries.receive(aDelivery('d1'), 'p');
      const verdicts = [
        { task: 'one-a' as TaskName, runId: 'ca1' as RunId },
        { task: 'one-b' as TaskName, because: 'branch dev is not main' },
      ];
      await deliveries.finish('d1', { status: 'failed', verdicts: [], notes: ['no'] });
      await deliveries.finish('d1', { status: 'done', verdicts, notes: ['a note'] });
      const wanted = { ...aDelivery('d1'), status: 'done', verdicts, notes: ['a note'] };
      expect(await deliveries.get('d1')).toEqual({ ...wanted, arrivals: 1 });
      expect((await deliveries.receive(aDelivery('d1'), 'p')).delivery).toEqual({ ...wanted, arrivals: 2 });
      await deliveries.finish('unknown', done);
      expect(await deliveries.get('unknown')).toBeUndefined();
    });

    it('are listed newest first, page by page, also those of one hook', async () => {
      for (let count = 1; count <= 7; count++) {
        const hook = count % 2 === 0 ? { hook: 'Build-App' as TaskName } : {};
        await at.store.deliveries.receive(aDelivery(`d${count}`, hook), 'p');
      }
      const first = await idsOf(at.store, { limit: 4 });
      expect(first.ids).toEqual(['d7', 'd6', 'd5', 'd4']);
      await at.store.deliveries.receive(aDelivery('d8'), 'p');
      await at.store.deliveries.receive(aDelivery('d2'), 'p');
      const second = await idsOf(at.store, { limit: 4, after: first.next ?? '' });
      expect(second).toEqual({ ids: ['d3', 'd2', 'd1'], next: undefined });
      const ofHook = await idsOf(at.store, { limit: 2, hook: 'build-app' });
      expect(ofHook.ids).toEqual(['d6', 'd4']);
      const rest = await idsOf(at.store, { limit: 2, hook: 'BUILD-APP', after: ofHook.next ?? '' });
      expect(rest).toEqual({ ids: ['d2'], next: undefined });
      expect(await idsOf(at.store, { limit: 2, hook: 'other' })).toEqual({ ids: [], next: undefined });
    });

    it('are the newest only, as many as are kept', async () => {
      const deliveryLimits = { count: 5, ageMs: 30 * dayMs, payloadBytes: 1000 };
      const store = await open({ clock: at.clock, deliveryLimits });
      const hook = { hook: 'build-app' as TaskName };
      for (let count = 1; count <= 8; count++) await store.deliveries.receive(aDelivery(`d${count}`, hook), 'p');
      const newest = ['d8', 'd7', 'd6', 'd5', 'd4'];
      expect(await idsOf(store, { limit: 10 })).toEqual({ ids: newest, next: undefined });
      expect((await idsOf(store, { limit: 10, hook: 'build-app' })).ids).toEqual(newest);
      expect(await store.deliveries.get('d3')).toBeUndefined();
      expect(await store.deliveries.payload('d3')).toBeUndefined();
      expect((await store.deliveries.receive(aDelivery('d1'), 'p')).isNew).toBe(true);
      await store.close();
    });

    it('are forgotten after a month', async () => {
      const { deliveries } = at.store;
      await deliveries.receive(aDelivery('d1'), 'p');
      at.clock.advance(1);
      await deliveries.receive(aDelivery('d2'), 'p');
      at.clock.advance(30 * dayMs - 1);
      expect((await idsOf(at.store, { limit: 5 })).ids).toEqual(['d2']);
      expect(await deliveries.get('d1')).toBeUndefined();
      expect(await deliveries.payload('d1')).toBeUndefined();
      expect((await deliveries.receive(aDelivery('d1'), 'anew')).isNew).toBe(true);
      expect((await idsOf(at.store, { limit: 5 })).ids).toEqual(['d1', 'd2']);
    });

    it('that are worked off lose their payloads when there is too much of them, the oldest first', async () => {
      const store = await open({ clock: at.clock, deliveryLimits: { count: 10, ageMs: dayMs, payloadBytes: 250 } });
      const { deliveries } = store;
      for (const id of ['d1', 'd2', 'd3', 'd4']) await deliveries.receive(aDelivery(id), 'x'.repeat(100));
      for (const id of ['d2', 'd1', 'd4', 'd4']) await deliveries.finish(id, done);
      const payloads = await Promise.all(['d1', 'd2', 'd3', 'd4'].map((id) => deliveries.payload(id)));
      expect(payloads.map((payload) => payload?.length)).toEqual([undefined, 100, 100, 100]);
      expect(await deliveries.get('d1')).toMatchObject({ status: 'done' });
      await store.close();
    });
  });
}
