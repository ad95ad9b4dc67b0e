import type { Clock } from '../../domain/clock.ts';
import type { RegistryEvent } from '../../domain/event.ts';
import { isWebhook, type Webhook } from '../../domain/notification.ts';
import type { NotificationStore } from '../../store/ports.ts';
import { handOver, type HandOverOptions } from '../notifications/hand-over.ts';
import type { Origin } from './azure.ts';
import { writePayload } from './payload.ts';
import { findAction, idOf, imageOf, type Told } from './told.ts';

export interface RegistryFanOutOptions extends HandOverOptions {
  readonly notifications: NotificationStore;
  readonly clock: Clock;
  readonly origin: Origin;
}

async function tell({ name, webhook }: Webhook, told: Told, options: RegistryFanOutOptions): Promise<void> {
  const { body, contentType } = writePayload(webhook.format, told, options.origin);
  const delivery = {
    id: told.id,
    notification: name,
    event: told.action,
    image: imageOf(told.event),
    contentType,
    createdTime: new Date(options.clock.now()).toISOString(),
    status: 'pending',
    tries: [],
    replays: 0,
  } as const;
  await handOver(delivery, body, options);
}

/**
 * Makes the handler of the registry's events: each becomes one delivery for each webhook that wants it. May be repeated; the event's id
 * makes it one delivery all the same. Rejects when the store or the queue is away.
 */
export function createRegistryFanOut(options: RegistryFanOutOptions): (event: RegistryEvent) => Promise<void> {
  return async (event) => {
    const all = (await options.notifications.list('webhooks')).filter(isWebhook);
    const id = idOf(event);
    await Promise.all(
      all.map(async (webhook) => {
        const action = findAction(webhook, event);
        if (action !== undefined) await tell(webhook, { id, action, event }, options);
      }),
    );
  };
}
