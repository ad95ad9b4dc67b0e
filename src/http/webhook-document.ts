import { STATUS_CODES } from 'node:http';
import type { DeliveryTry, OutgoingDelivery, Webhook } from '../domain/notification.ts';
import type { WebhookAction, WebhookFormat, WebhookWish } from '../domain/webhook.ts';
import { resourceId } from './documents.ts';
import type { KeptDelivery } from './webhook-desk.ts';

/** The body of PUT and PATCH webhooks/{name} as `schemas/api/webhook.schema.json` has it. */
export interface WebhookBody {
  readonly tags?: Readonly<Record<string, string>>;
  readonly properties?: {
    readonly serviceUri?: string;
    readonly customHeaders?: Readonly<Record<string, string>>;
    readonly status?: 'enabled' | 'disabled';
    readonly scope?: string;
    readonly actions?: readonly WebhookAction[];
    readonly format?: WebhookFormat;
    readonly secret?: string;
    readonly rotateSecret?: boolean;
  };
}

export function readWish({ tags, properties = {} }: WebhookBody): WebhookWish {
  const { serviceUri, customHeaders, status, scope, actions, format, secret, rotateSecret } = properties;
  const isEnabled = status === undefined ? undefined : status === 'enabled';
  return { serviceUri, customHeaders, isEnabled, scope, actions, format, secret, rotateSecret, tags };
}

/** A webhook's document: where it goes to and what goes along is told by `getCallbackConfig` alone. */
export function webhookDocument(registryName: string, one: Webhook): object {
  const { name, actions, scope, format, tags } = one.webhook;
  return {
    id: resourceId(registryName, 'webhooks', name),
    name,
    type: 'Microsoft.ContainerRegistry/registries/webhooks',
    location: 'local',
    tags,
    properties: {
      status: one.status === 'Enabled' ? 'enabled' : 'disabled',
      ...(one.disabledBecause !== undefined && { disabledBecause: one.disabledBecause }),
      scope,
      actions,
      format,
      provisioningState: 'Succeeded',
      lastUpdatedTime: one.lastUpdatedTime,
      updatedBy: one.updatedBy,
    },
  };
}

function responseMessage({ status, because, answer }: DeliveryTry): object {
  const reasonPhrase = status === undefined ? because : STATUS_CODES[status];
  return {
    ...(answer && { content: answer.content, headers: answer.headers }),
    ...(reasonPhrase !== undefined && { reasonPhrase }),
    ...(status !== undefined && { statusCode: String(status) }),
    version: '1.1',
  };
}

/** Shown without the signature, which each try has anew, and without the values of custom headers. */
function requestMessage({ headerNames, url }: Webhook, { delivery, body }: KeptDelivery): object {
  const custom = Object.fromEntries(headerNames.map((name) => [name, '***']));
  return {
    content: JSON.parse(body) as unknown,
    headers: { 'content-type': delivery.contentType, 'webhook-id': delivery.id, ...custom },
    method: 'POST',
    requestUri: url,
    version: '1.1',
  };
}

/** What is ours beside Azure's members. */
function describeDelivery(delivery: OutgoingDelivery): object {
  const { event, image, status, createdTime, tries, replays } = delivery;
  return {
    action: event,
    ...(image !== undefined && { image }),
    status,
    createdTime,
    tries: tries.map(({ answer: _answer, ...shown }) => shown),
    replays,
  };
}

/** An event of `listEvents`, with what was sent and what the receiver has answered last. */
export function webhookEventDocument(webhook: Webhook, kept: KeptDelivery): object {
  const last = kept.delivery.tries.at(-1);
  return {
    id: kept.delivery.id,
    eventRequestMessage: requestMessage(webhook, kept),
    ...(last && { eventResponseMessage: responseMessage(last) }),
    ...describeDelivery(kept.delivery),
  };
}

/** What came of a ping or of asking for an event again: Azure's clients read `id` alone. */
export function eventInfoDocument(delivery: OutgoingDelivery): object {
  return { id: delivery.id, ...describeDelivery(delivery) };
}
