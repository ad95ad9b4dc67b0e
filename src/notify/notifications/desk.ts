import { fail, type FailureError } from '../../domain/failure.ts';
import type { Notification, OutgoingDelivery } from '../../domain/notification.ts';
import type { Egress } from '../../egress/ports.ts';
import type { NotificationQueue } from '../../queue/ports.ts';
import { replayDelivery, sendPing } from './by-hand.ts';
import { pingCloudEvent } from './cloud-event.ts';
import type { DeliverOptions } from './deliver.ts';
import { openNotification, sealNotification } from './sealed.ts';
import { decideSecrets } from './secret-change.ts';
import { checkWish, type NotificationWish } from './wish.ts';

export interface DeskOptions extends DeliverOptions {
  readonly egress: Pick<Egress, 'fetch' | 'resolve'>;
  readonly queue: Pick<NotificationQueue, 'enqueue'>;
  /** The installation, as a URI. */
  readonly source: string;
  /** A new UUID. */
  readonly newId: () => string;
}

/** What people do with notifications. */
export interface NotificationDesk {
  /**
   * Writes one whole. A secret that was made for it is shown this once. Throws `invalid-request` that names the field (also for a URL that
   * may not be reached), `conflict` when somebody else writes at the same time.
   */
  put(
    name: string,
    wish: NotificationWish,
    who: string,
  ): Promise<{ readonly notification: Notification; readonly secret?: string }>;
  /** Sends an event `dev.slipway.ping` once, also to a disabled one, and tells what came of it. Throws `not-found`. */
  ping(name: string): Promise<OutgoingDelivery>;
  /** Has a delivery made again, with all its tries. Throws `not-found`. */
  replay(name: string, id: string): Promise<OutgoingDelivery>;
}

async function put(name: string, wish: NotificationWish, { who, options }: { who: string; options: DeskOptions }) {
  const { notifications, key, clock, egress } = options;
  await checkWish(name, wish, egress);
  const old = await notifications.get(name);
  const { secrets, made } = decideSecrets(wish, {
    old: old && openNotification(key, old),
    now: clock.now(),
  });
  const version = old?.version ?? 0;
  const wanted: Notification = {
    name,
    url: wish.url,
    events: [...new Set(wish.events)],
    ...(wish.tasks && wish.tasks.length > 0 && { tasks: wish.tasks }),
    status: wish.status ?? 'Enabled',
    headerNames: Object.keys(secrets.headers).sort(),
    sealed: sealNotification(key, name, secrets),
    lastUpdatedTime: new Date(clock.now()).toISOString(),
    updatedBy: who,
    version: version + 1,
  };
  const notification = await notifications.put(wanted, version);
  return { notification, ...(made !== undefined && { secret: made }) };
}

function unknown(what: string): FailureError {
  return fail('not-found', `there is no ${what}`);
}

async function ping(name: string, options: DeskOptions): Promise<OutgoingDelivery> {
  const { notifications, newId, clock, source } = options;
  const notification = await notifications.get(name);
  if (!notification) throw unknown(`notification "${name}"`);
  const id = `msg_${newId().replaceAll('-', '')}`;
  const createdTime = new Date(clock.now()).toISOString();
  const body = JSON.stringify(pingCloudEvent(source, id, { time: createdTime, name }));
  return sendPing(notification, { id, body, createdTime }, options);
}

async function replay(name: string, id: string, options: DeskOptions): Promise<OutgoingDelivery> {
  const again = await replayDelivery(name, id, options);
  if (again) return again;
  throw unknown(`delivery "${id.slice(0, 100)}" of notification "${name.slice(0, 100)}"`);
}

/** Makes the desk at which people keep notifications. */
export function createNotificationDesk(options: DeskOptions): NotificationDesk {
  return {
    put: (name, wish, who) => put(name, wish, { who, options }),
    ping: (name) => ping(name, options),
    replay: (name, id) => replay(name, id, options),
  };
}
