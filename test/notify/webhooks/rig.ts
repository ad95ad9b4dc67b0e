import type { PushEvent, RegistryEvent } from '../../../src/domain/event.ts';
import type { Origin } from '../../../src/notify/webhooks/azure.ts';
import type { Payload } from '../../../src/notify/webhooks/payload.ts';
import type { Heard } from '../../../src/patch/notice/heard.ts';
import { recogniseNotice } from '../../../src/patch/notice/readers.ts';

export const origin: Origin = {
  registryHost: 'registry.test:5000',
  registryId: '/subscriptions/0/resourceGroups/slipway/providers/Microsoft.ContainerRegistry/registries/slipway',
  url: 'http://slipway.test',
};

export const digest = `sha256:${'ab'.repeat(32)}`;

/** An event of the registry as it comes out of the queue: JSON. */
export function anEvent(more: object = {}): RegistryEvent {
  return {
    kind: 'push',
    id: 'event-1',
    repository: 'hello-world',
    tag: 'v1',
    digest,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    size: 524,
    at: '2026-11-21T09:00:00.000Z',
    by: 'ann',
    request: {
      id: '3cbb6949-7549-4fa1-9b1a-a6d5451dffc7',
      host: 'registry.test:5000',
      method: 'PUT',
      userAgent: 'docker/28.2',
      address: '10.0.0.7:40112',
    },
    ...more,
  } as PushEvent;
}

/** One with nothing but what the first version of the registry told. */
export function anOldEvent(more: object = {}): RegistryEvent {
  return anEvent({ request: undefined, by: undefined, ...more });
}

/** What the hook for other registries makes of a payload. */
export function hearNotice({ body, contentType }: Payload): readonly Heard[] {
  const notice = { headers: { 'content-type': contentType }, body: JSON.parse(body) as unknown };
  return recogniseNotice(notice).read(notice);
}
