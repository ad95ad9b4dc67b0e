import type { Notification, OutgoingDelivery } from '../../domain/notification.ts';
import type { NotificationQueue } from '../../queue/ports.ts';
import type { NotificationStore } from '../../store/ports.ts';
import { afterTry, type DeliverOptions } from './deliver.ts';
import { sendOnce, type Sending } from './send.ts';

/** Sends a test event once, also to a notification that is disabled, keeps it, and tells what came of it. Rejects as the store does. */
export async function sendPing(
  notification: Notification,
  ping: Sending & { readonly createdTime: string },
  options: DeliverOptions,
): Promise<OutgoingDelivery> {
  const { id, body, contentType, createdTime } = ping;
  const sent = await sendOnce(notification, ping, options);
  const delivery: OutgoingDelivery = {
    id,
    notification: notification.name,
    event: 'ping',
    ...(contentType !== undefined && { contentType }),
    createdTime,
    status: 'pending',
    tries: [],
    replays: 0,
  };
  const done = afterTry(delivery, sent, true);
  await options.notifications.addDelivery(done, body);
  return done;
}

/** Has a delivery made again, with all its tries; undefined when there is none. Rejects as the store and the queue do. */
export async function replayDelivery(
  name: string,
  id: string,
  { notifications, queue }: { notifications: NotificationStore; queue: Pick<NotificationQueue, 'enqueue'> },
): Promise<OutgoingDelivery | undefined> {
  const kept = await notifications.getDelivery(name, id);
  if (!kept) return undefined;
  const again: OutgoingDelivery = { ...kept.delivery, status: 'pending', replays: kept.delivery.replays + 1 };
  await notifications.updateDelivery(again);
  await queue.enqueue({ notification: name, deliveryId: id, replay: again.replays });
  return again;
}
