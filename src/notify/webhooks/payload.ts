import type { WebhookAction, WebhookFormat } from '../../domain/webhook.ts';
import { cloudEventType, pingCloudEvent, type CloudEvent } from '../notifications/cloud-event.ts';
import { azurePayload, type AzurePayload, type Origin } from './azure.ts';
import { distributionPayload, distributionType } from './distribution.ts';
import { tagOf, type Told } from './told.ts';

/** What is sent. */
export interface Payload {
  readonly body: string;
  readonly contentType: string;
}

/** Those of Event Grid, and our own for what it does not tell of. */
const types: Readonly<Record<WebhookAction, string>> = {
  push: 'Microsoft.ContainerRegistry.ImagePushed',
  delete: 'Microsoft.ContainerRegistry.ImageDeleted',
  chart_push: 'Microsoft.ContainerRegistry.ChartPushed',
  chart_delete: 'Microsoft.ContainerRegistry.ChartDeleted',
  quarantine: 'dev.slipway.registry.quarantined',
  untag: 'dev.slipway.registry.untagged',
};

/** A CloudEvent whose data is what a webhook of Azure Container Registry is sent. */
function cloudEvent(told: Told, origin: Origin): CloudEvent {
  const { id, action, event } = told;
  const tag = tagOf(event);
  return {
    specversion: '1.0',
    id,
    source: origin.registryId,
    type: types[action],
    subject: tag === undefined ? event.repository : `${event.repository}:${tag}`,
    time: event.at,
    datacontenttype: 'application/json',
    data: azurePayload(told, origin),
  };
}

const jsonType = 'application/json; charset=utf-8';

function write(content: object, contentType: string): Payload {
  return { body: JSON.stringify(content), contentType };
}

/** What a webhook of this format is sent of an event. */
export function writePayload(format: WebhookFormat, told: Told, origin: Origin): Payload {
  switch (format) {
    case 'azure':
      return write(azurePayload(told, origin), jsonType);
    case 'cloudevents':
      return write(cloudEvent(told, origin), cloudEventType);
    case 'distribution':
      return write(distributionPayload(told, origin), distributionType);
  }
}

export interface Ping {
  readonly id: string;
  /** ISO 8601. */
  readonly timestamp: string;
  /** The webhook's. */
  readonly name: string;
}

/** What says nothing but that deliveries arrive. */
export function writePing(format: WebhookFormat, { id, timestamp, name }: Ping, { registryId }: Origin): Payload {
  const azure: AzurePayload = { id, timestamp, action: 'ping' };
  switch (format) {
    case 'azure':
      return write(azure, jsonType);
    case 'cloudevents':
      return write(
        { ...pingCloudEvent(registryId, id, { time: timestamp, name }), subject: `webhooks/${name}`, data: azure },
        cloudEventType,
      );
    case 'distribution':
      return write({ events: [{ ...azure, target: {}, request: {}, actor: {}, source: {} }] }, distributionType);
  }
}
