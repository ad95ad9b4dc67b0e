import type { DeliveryTry } from '../domain/notification.ts';
import type { WebhookAction, WebhookConfig, WebhookFormat } from '../domain/webhook.ts';
import { callApi, readJson, type ApiTarget } from './api-call.ts';

/** What the API shows of a webhook of the registry. */
export interface WebhookView {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: {
    readonly status: 'enabled' | 'disabled';
    readonly disabledBecause?: string;
    readonly scope: string;
    readonly actions: readonly WebhookAction[];
    readonly format: WebhookFormat;
    readonly lastUpdatedTime: string;
    readonly updatedBy: string;
  };
}

/** The body of PUT and PATCH webhooks/{name}. */
export interface WebhookBody {
  readonly tags?: Readonly<Record<string, string>>;
  readonly properties: {
    readonly serviceUri?: string;
    readonly customHeaders?: Readonly<Record<string, string>>;
    readonly status?: string;
    readonly scope?: string;
    readonly actions?: readonly string[];
    readonly format?: string;
    readonly secret?: string;
    readonly rotateSecret?: boolean;
  };
}

/** What the API shows of an event of a webhook. */
export interface WebhookEventView {
  readonly id: string;
  readonly action: string;
  readonly image?: string;
  readonly status: 'pending' | 'delivered' | 'dead';
  readonly createdTime: string;
  readonly tries: readonly DeliveryTry[];
}

/** The calls that concern webhooks of the registry. */
export interface WebhookCalls {
  webhooks(): Promise<readonly WebhookView[]>;
  webhook(name: string): Promise<WebhookView>;
  putWebhook(name: string, body: WebhookBody): Promise<WebhookView>;
  patchWebhook(name: string, body: WebhookBody): Promise<WebhookView>;
  /** False when there was none. */
  deleteWebhook(name: string): Promise<boolean>;
  webhookConfig(name: string): Promise<WebhookConfig>;
  /** Sends a test event and says what came of it. */
  pingWebhook(name: string): Promise<WebhookEventView>;
  /** Newest first. */
  webhookEvents(name: string, top: number): Promise<readonly WebhookEventView[]>;
  redeliverEvent(name: string, id: string): Promise<WebhookEventView>;
}

function pathOf(name: string, more = ''): string {
  return `/webhooks/${encodeURIComponent(name)}${more}`;
}

function valuesOf(document: unknown): readonly unknown[] {
  const { value = [] } = document as { readonly value?: readonly unknown[] };
  return value;
}

/** Makes the calls that concern webhooks of the registry. */
export function createWebhookCalls(target: ApiTarget): WebhookCalls {
  const get = (path: string): Promise<unknown> => readJson(target, { method: 'GET', path, repeat: 'broken' });
  const post = (path: string, repeat: 'broken' | 'never'): Promise<unknown> =>
    readJson(target, { method: 'POST', path, repeat });
  return {
    webhooks: async () => valuesOf(await get('/webhooks')) as readonly WebhookView[],
    webhook: async (name) => (await get(pathOf(name))) as WebhookView,
    putWebhook: async (name, body) =>
      (await readJson(target, { method: 'PUT', path: pathOf(name), body, repeat: 'broken' })) as WebhookView,
    patchWebhook: async (name, body) =>
      (await readJson(target, { method: 'PATCH', path: pathOf(name), body, repeat: 'never' })) as WebhookView,
    deleteWebhook: async (name) => {
      const response = await callApi(target, { method: 'DELETE', path: pathOf(name), repeat: 'never' });
      await response.arrayBuffer();
      return response.status !== 204;
    },
    webhookConfig: async (name) => (await post(pathOf(name, '/getCallbackConfig'), 'broken')) as WebhookConfig,
    pingWebhook: async (name) => (await post(pathOf(name, '/ping'), 'never')) as WebhookEventView,
    webhookEvents: async (name, top) =>
      valuesOf(await post(pathOf(name, `/listEvents?$top=${top}`), 'broken')) as readonly WebhookEventView[],
    redeliverEvent: async (name, id) =>
      (await post(pathOf(name, `/events/${encodeURIComponent(id)}/redeliver`), 'never')) as WebhookEventView,
  };
}
