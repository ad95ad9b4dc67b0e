import type { OutgoingDelivery, Webhook } from '../domain/notification.ts';
import type { WebhookConfig, WebhookWish } from '../domain/webhook.ts';

/** What was sent to a webhook or will be, with its body. */
export interface KeptDelivery {
  readonly delivery: OutgoingDelivery;
  readonly body: string;
}

/** What people do with webhooks of the registry. Rejects with `invalid-request`, `not-found` or `conflict`. */
export interface WebhookDesk {
  /** Writes one whole. */
  put(name: string, wish: WebhookWish, who: string): Promise<Webhook>;
  /** Changes what the wish speaks of. */
  change(name: string, wish: WebhookWish, who: string): Promise<Webhook>;
  get(name: string): Promise<Webhook>;
  /** By name. */
  list(): Promise<readonly Webhook[]>;
  /** False when there was none. */
  delete(name: string): Promise<boolean>;
  config(name: string): Promise<WebhookConfig>;
  /** Sends a test event once and tells what came of it. */
  ping(name: string): Promise<OutgoingDelivery>;
  /** Newest first. */
  events(name: string, limit: number): Promise<readonly KeptDelivery[]>;
  /** Has an event delivered again, with all its tries. */
  redeliver(name: string, id: string): Promise<OutgoingDelivery>;
}
