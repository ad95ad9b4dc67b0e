import type { OutgoingDelivery } from '../../domain/notification.ts';
import type { NotificationQueue } from '../../queue/ports.ts';
import type { NotificationStore } from '../../store/ports.ts';

export interface HandOverOptions {
  readonly notifications: Pick<NotificationStore, 'addDelivery' | 'getDelivery'>;
  readonly queue: Pick<NotificationQueue, 'enqueue'>;
}

/**
 * Keeps a delivery with its body and queues it. May be repeated: what is there already is queued again as long as it was not made. Rejects
 * when the store or the queue is away.
 */
export async function handOver(
  delivery: OutgoingDelivery,
  body: string,
  { notifications, queue }: HandOverOptions,
): Promise<void> {
  const { id, notification } = delivery;
  const isNew = await notifications.addDelivery(delivery, body);
  // One that was kept before may have failed to be queued then.
  const kept = isNew ? delivery : (await notifications.getDelivery(notification, id))?.delivery;
  if (kept?.status === 'pending') await queue.enqueue({ notification, deliveryId: id, replay: kept.replays });
}
