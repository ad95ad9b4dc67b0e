import { FailureError } from '../../domain/failure.ts';
import type { Notification, OutgoingDelivery } from '../../domain/notification.ts';
import type { NotificationDone, NotificationJob } from '../../queue/ports.ts';
import type { NotificationStore } from '../../store/ports.ts';
import { sendOnce, type SendOptions, type Sent } from './send.ts';

export interface DeliverOptions extends SendOptions {
  readonly notifications: NotificationStore;
}

/** How many tries of a delivery are shown. */
const shownTries = 20;

/** A delivery after one more try; what was answered is kept of the last one. */
export function afterTry(delivery: OutgoingDelivery, { verdict, done }: Sent, isLastTry: boolean): OutgoingDelivery {
  const earlier = delivery.tries.map(({ answer: _answer, ...shown }) => shown);
  const tries = [...earlier, done].slice(-shownTries);
  if (verdict === 'delivered') return { ...delivery, tries, status: 'delivered' };
  const isOver = verdict !== 'later' || isLastTry;
  return { ...delivery, tries, status: isOver ? 'dead' : 'pending' };
}

/** A receiver that is gone is asked no more, unless people have changed the notification meanwhile. */
async function disable(notification: Notification, { notifications, clock }: DeliverOptions): Promise<void> {
  const changed: Notification = {
    ...notification,
    status: 'Disabled',
    disabledBecause: 'the receiver answered 410 Gone',
    lastUpdatedTime: new Date(clock.now()).toISOString(),
  };
  try {
    await notifications.put(changed, notification.version);
  } catch (error) {
    if (!(error instanceof FailureError) || error.failure.reason !== 'conflict') throw error;
  }
}

/** One that was disabled after it was told of something. */
function refuse({ disabledBecause }: Notification, { clock }: DeliverOptions): Sent {
  const because = `the notification is disabled${disabledBecause === undefined ? '' : `: ${disabledBecause}`}`;
  return { verdict: 'refused', done: { at: new Date(clock.now()).toISOString(), milliseconds: 0, because } };
}

/**
 * Makes the handler of delivery jobs: one try each, and what it came to is written down. A job whose delivery is gone, done, or was asked for
 * again since is over. Rejects when the store is away.
 */
export function createDeliverer(
  options: DeliverOptions,
): (job: NotificationJob, isLastTry: boolean) => Promise<NotificationDone> {
  const { notifications } = options;
  return async ({ notification: name, deliveryId, replay }, isLastTry) => {
    const [notification, kept] = await Promise.all([
      notifications.get(name),
      notifications.getDelivery(name, deliveryId),
    ]);
    if (!notification || kept?.delivery.status !== 'pending' || kept.delivery.replays !== replay) return 'done';
    const { delivery, body } = kept;
    const isEnabled = notification.status === 'Enabled';
    const sent = isEnabled
      ? await sendOnce(notification, { id: deliveryId, body, contentType: delivery.contentType }, options)
      : refuse(notification, options);
    const after = afterTry(delivery, sent, isLastTry);
    await notifications.updateDelivery(after);
    if (sent.verdict === 'gone') await disable(notification, options);
    if (after.status !== 'pending') return 'done';
    const { because = 'not delivered' } = sent.done;
    return { because, ...(sent.retryAfterMs !== undefined && { afterMs: sent.retryAfterMs }) };
  };
}
