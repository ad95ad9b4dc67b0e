import { fail, type FailureError } from '../../domain/failure.ts';
import { isWebhook, type OutgoingDelivery, type Webhook } from '../../domain/notification.ts';
import { webhookKey, type WebhookConfig, type WebhookWish } from '../../domain/webhook.ts';
import type { NotificationQueue } from '../../queue/ports.ts';
import { replayDelivery, sendPing } from '../notifications/by-hand.ts';
import type { DeliverOptions } from '../notifications/deliver.ts';
import { openNotification } from '../notifications/sealed.ts';
import type { Origin } from './azure.ts';
import { writePing } from './payload.ts';
import { checkWebhook, writeWebhook, type WriteOptions } from './write.ts';

export interface WebhookDeskOptions extends DeliverOptions, WriteOptions {
  readonly egress: DeliverOptions['egress'] & WriteOptions['egress'];
  readonly queue: Pick<NotificationQueue, 'enqueue'>;
  readonly origin: Origin;
  /** A new UUID. */
  readonly newId: () => string;
}

/** What people do with webhooks of the registry. Every method but `put` throws `not-found` for a name that is none. */
export interface WebhookDesk {
  /**
   * Writes one whole, which needs `serviceUri` and `actions`; an old secret stays, where there is none one is made. Throws `invalid-request`
   * that names the field, `conflict` when somebody else writes at the same time or there are too many.
   */
  put(name: string, wish: WebhookWish, who: string): Promise<Webhook>;
  /** Changes what the wish speaks of. Throws as `put` does. */
  change(name: string, wish: WebhookWish, who: string): Promise<Webhook>;
  get(name: string): Promise<Webhook>;
  /** By name. */
  list(): Promise<readonly Webhook[]>;
  /** False when there was none. */
  delete(name: string): Promise<boolean>;
  config(name: string): Promise<WebhookConfig>;
  /** Sends an event `ping` once, also to one that is disabled, and tells what came of it. */
  ping(name: string): Promise<OutgoingDelivery>;
  /** What was sent or will be, newest first, with its body. */
  events(
    name: string,
    limit: number,
  ): Promise<readonly { readonly delivery: OutgoingDelivery; readonly body: string }[]>;
  /** Has an event delivered again, with all its tries. Throws `not-found` for an id that is none. */
  redeliver(name: string, id: string): Promise<OutgoingDelivery>;
}

function unknown(what: string): FailureError {
  return fail('not-found', `there is no ${what}`);
}

async function find(name: string, { notifications }: WebhookDeskOptions): Promise<Webhook> {
  const found = await notifications.get(webhookKey(name));
  if (found && isWebhook(found)) return found;
  throw unknown(`webhook "${name.slice(0, 100)}"`);
}

async function put(name: string, wish: WebhookWish, { who, options }: { who: string; options: WebhookDeskOptions }) {
  await checkWebhook(name, wish, options);
  const old = await options.notifications.get(webhookKey(name));
  const secrets = old && { ...openNotification(options.key, old), headers: {} };
  const kept = secrets ? { secrets } : {};
  return writeWebhook({ name, wish, who, version: old?.version ?? 0, kept }, options);
}

async function change(name: string, wish: WebhookWish, { who, options }: { who: string; options: WebhookDeskOptions }) {
  const webhook = await find(name, options);
  await checkWebhook(name, wish, options);
  const kept = { webhook, secrets: openNotification(options.key, webhook) };
  return writeWebhook({ name, wish, who, version: webhook.version, kept }, options);
}

async function ping(name: string, options: WebhookDeskOptions): Promise<OutgoingDelivery> {
  const found = await find(name, options);
  const id = options.newId();
  const timestamp = new Date(options.clock.now()).toISOString();
  const { format, name: spelt } = found.webhook;
  const payload = writePing(format, { id, timestamp, name: spelt }, options.origin);
  return sendPing(found, { id, createdTime: timestamp, ...payload }, options);
}

async function events(name: string, limit: number, options: WebhookDeskOptions) {
  const { notifications } = options;
  const { name: key } = await find(name, options);
  const all = await notifications.listDeliveries(key, limit);
  const found = await Promise.all(all.map(({ id }) => notifications.getDelivery(key, id)));
  return found.flatMap((one) => (one ? [one] : []));
}

async function redeliver(name: string, id: string, options: WebhookDeskOptions): Promise<OutgoingDelivery> {
  const { name: key } = await find(name, options);
  const again = await replayDelivery(key, id, options);
  if (again) return again;
  throw unknown(`event "${id.slice(0, 100)}" of webhook "${name.slice(0, 100)}"`);
}

/** Makes the desk at which people keep webhooks of the registry. */
export function createWebhookDesk(options: WebhookDeskOptions): WebhookDesk {
  const { key, notifications } = options;
  return {
    put: (name, wish, who) => put(name, wish, { who, options }),
    change: (name, wish, who) => change(name, wish, { who, options }),
    get: (name) => find(name, options),
    list: async () => (await notifications.list('webhooks')).filter(isWebhook),
    delete: (name) => notifications.delete(webhookKey(name)),
    async config(name) {
      const webhook = await find(name, options);
      const { headers, secret } = openNotification(key, webhook);
      return { serviceUri: webhook.url, customHeaders: headers, secret };
    },
    ping: (name) => ping(name, options),
    events: (name, limit) => events(name, limit, options),
    redeliver: (name, id) => redeliver(name, id, options),
  };
}
