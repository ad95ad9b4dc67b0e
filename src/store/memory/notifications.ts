import type { Notification, OutgoingDelivery } from '../../domain/notification.ts';
import { isWebhookKey } from '../../domain/webhook.ts';
import { mostLike, notificationConflict, tooManyNotifications } from '../notification-changes.ts';
import { maxOutgoing, type NotificationStore } from '../ports.ts';

interface Kept {
  readonly delivery: OutgoingDelivery;
  readonly body: string;
}

/** The notifications of a memory store: {@link NotificationStore} to the letter. */
export function createMemoryNotifications(): NotificationStore {
  const kept = new Map<string, Notification>();
  const sent = new Map<string, Map<string, Kept>>();
  const ofKind = (isHook: boolean): Notification[] =>
    [...kept.values()].filter(({ name }) => isWebhookKey(name) === isHook);
  return {
    get: async (name) => kept.get(name),
    list: async (kind) => ofKind(kind === 'webhooks').sort((a, b) => (a.name < b.name ? -1 : 1)),
    async put(notification, expected) {
      const { name } = notification;
      const found = kept.get(name);
      if ((found?.version ?? 0) !== expected) throw notificationConflict(name);
      if (!found && ofKind(isWebhookKey(name)).length >= mostLike(name)) throw tooManyNotifications(name);
      const written = { ...notification, version: expected + 1 };
      kept.set(name, written);
      return written;
    },
    async delete(name) {
      sent.delete(name);
      return kept.delete(name);
    },
    async addDelivery(delivery, body) {
      if (!kept.has(delivery.notification)) return false;
      const all = sent.get(delivery.notification) ?? new Map<string, Kept>();
      if (all.has(delivery.id)) return false;
      sent.set(delivery.notification, all.set(delivery.id, { delivery, body }));
      const [oldest] = all.keys();
      if (all.size > maxOutgoing && oldest !== undefined) all.delete(oldest);
      return true;
    },
    async updateDelivery(delivery) {
      const all = sent.get(delivery.notification);
      const found = all?.get(delivery.id);
      if (found) all?.set(delivery.id, { ...found, delivery });
      return found !== undefined;
    },
    getDelivery: async (name, id) => sent.get(name)?.get(id),
    listDeliveries: async (name, limit) =>
      [...(sent.get(name)?.values() ?? [])]
        .reverse()
        .slice(0, limit)
        .map(({ delivery }) => delivery),
  };
}
