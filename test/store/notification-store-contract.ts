import { describe, expect, it } from 'vitest';
import type { Notification, OutgoingDelivery } from '../../src/domain/notification.ts';
import { maxNotifications, maxOutgoing, maxWebhooks } from '../../src/store/ports.ts';
import { useStore, type OpenStore } from './fixtures.ts';

const conflict = { failure: { reason: 'conflict' } };

/** A notification that tells of failed runs. */
export function aNotification(more: Partial<Notification> = {}): Notification {
  return {
    name: 'chat',
    url: 'https://hooks.example.com/slipway',
    events: ['run.failed'],
    status: 'Enabled',
    headerNames: [],
    sealed: 'v1.sealed',
    lastUpdatedTime: '2026-11-21T09:00:00.000Z',
    updatedBy: 'admin',
    version: 1,
    ...more,
  };
}

/** A delivery that was not tried yet. */
export function aDelivery(id: string, more: Partial<OutgoingDelivery> = {}): OutgoingDelivery {
  const createdTime = '2026-11-21T09:00:00.000Z';
  const fresh = { status: 'pending', tries: [], replays: 0 } as const;
  return { id, notification: 'chat', event: 'run.failed', createdTime, ...fresh, ...more };
}

/** The part of the store's contract about notifications (src/store/ports.ts). */
export function describeNotificationStore(open: OpenStore): void {
  describe('notifications', () => {
    const { at } = useStore(open);

    it('are written whole by whoever has seen the last version, and by nobody else', async () => {
      const { notifications } = at.store;
      expect(await notifications.put(aNotification({ version: 7 }), 0)).toEqual(aNotification());
      await expect(notifications.put(aNotification(), 0)).rejects.toMatchObject(conflict);
      const second = await notifications.put(aNotification({ tasks: ['web-*'] }), 1);
      expect(second).toMatchObject({ version: 2, tasks: ['web-*'] });
      await expect(notifications.put(aNotification(), 1)).rejects.toMatchObject(conflict);
      expect(await notifications.get('chat')).toEqual(second);
      await notifications.put(aNotification({ name: 'Audit' }), 0);
      expect((await notifications.list()).map(({ name }) => name)).toEqual(['Audit', 'chat']);
      expect(await notifications.get('audit')).toBeUndefined();
    });

    it('are bounded in number', async () => {
      const { notifications } = at.store;
      for (let n = 0; n < maxNotifications; n++) await notifications.put(aNotification({ name: `n${n}` }), 0);
      await expect(notifications.put(aNotification(), 0)).rejects.toMatchObject(conflict);
      await notifications.put(aNotification({ name: 'n7' }), 1);
    });

    it('are of two kinds, each with names and a bound of its own', async () => {
      const { notifications } = at.store;
      const hook = aNotification({ name: 'webhook/chat', events: [] });
      await notifications.put(aNotification(), 0);
      expect(await notifications.put(hook, 0)).toEqual(hook);
      await expect(notifications.put(hook, 0)).rejects.toMatchObject(conflict);
      expect(await notifications.list()).toEqual([aNotification()]);
      expect(await notifications.list('webhooks')).toEqual([hook]);
      expect(await notifications.addDelivery(aDelivery('d1', { notification: hook.name }), 'one')).toBe(true);
      expect(await notifications.listDeliveries('chat', 10)).toEqual([]);
      for (let n = 1; n < maxWebhooks; n++) await notifications.put({ ...hook, name: `webhook/n${n}` }, 0);
      await expect(notifications.put({ ...hook, name: 'webhook/more' }, 0)).rejects.toMatchObject(conflict);
      await notifications.put(aNotification({ name: 'other' }), 0);
      expect(await notifications.delete(hook.name)).toBe(true);
      expect(await notifications.listDeliveries(hook.name, 10)).toEqual([]);
      expect(await notifications.get('chat')).toEqual(aNotification());
    });

    it('keep a delivery once, with its body, and what became of it', async () => {
      const { notifications } = at.store;
      await notifications.put(aNotification(), 0);
      expect(await notifications.addDelivery(aDelivery('d1'), 'one')).toBe(true);
      expect(await notifications.addDelivery(aDelivery('d1', { event: 'run.error' }), 'two')).toBe(false);
      await notifications.addDelivery(aDelivery('d2'), 'three');
      const done = aDelivery('d1', { status: 'delivered', tries: [{ at: 'now', milliseconds: 3, status: 200 }] });
      expect(await notifications.updateDelivery(done)).toBe(true);
      expect(await notifications.getDelivery('chat', 'd1')).toEqual({ delivery: done, body: 'one' });
      expect(await notifications.listDeliveries('chat', 10)).toEqual([aDelivery('d2'), done]);
      expect(await notifications.listDeliveries('chat', 1)).toEqual([aDelivery('d2')]);
      expect(await notifications.updateDelivery(aDelivery('d3'))).toBe(false);
      expect(await notifications.getDelivery('chat', 'd3')).toBeUndefined();
    });

    it('take no deliveries once they are deleted, and lose those they had', async () => {
      const { notifications } = at.store;
      await notifications.put(aNotification(), 0);
      await notifications.addDelivery(aDelivery('d1'), 'one');
      expect(await notifications.delete('chat')).toBe(true);
      expect(await notifications.delete('chat')).toBe(false);
      expect(await notifications.addDelivery(aDelivery('d2'), 'two')).toBe(false);
      await notifications.put(aNotification(), 0);
      expect(await notifications.listDeliveries('chat', 10)).toEqual([]);
    });

    it('forget the oldest deliveries when there are too many', async () => {
      const { notifications } = at.store;
      await notifications.put(aNotification(), 0);
      for (let n = 0; n <= maxOutgoing; n++) await notifications.addDelivery(aDelivery(`d${n}`), 'x');
      expect(await notifications.listDeliveries('chat', maxOutgoing + 5)).toHaveLength(maxOutgoing);
      expect(await notifications.getDelivery('chat', 'd0')).toBeUndefined();
      expect((await notifications.listDeliveries('chat', 1))[0]?.id).toBe(`d${maxOutgoing}`);
    });
  });
}
