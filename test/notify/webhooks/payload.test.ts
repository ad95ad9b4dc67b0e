import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { webhookActions, webhookFormats, type WebhookAction } from '../../../src/domain/webhook.ts';
import { writePayload, writePing } from '../../../src/notify/webhooks/payload.ts';
import { findAction, idOf } from '../../../src/notify/webhooks/told.ts';
import { anEvent, anOldEvent, digest, hearNotice, origin } from './rig.ts';

const id = 'cb8c3971-9adc-488b-8d6b-43cbb4974ff5';
const timestamp = '2026-11-21T09:00:00.000Z';
const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
const request = {
  id: '3cbb6949-7549-4fa1-9b1a-a6d5451dffc7',
  host: 'registry.test:5000',
  method: 'PUT',
  useragent: 'docker/28.2',
};

function write(action: WebhookAction, event = anEvent(), format: (typeof webhookFormats)[number] = 'azure') {
  const { body, contentType } = writePayload(format, { id, action, event }, origin);
  return { body, contentType, content: JSON.parse(body) as Record<string, unknown> };
}

describe('a payload as Azure sends it', () => {
  it('of a push has the members of the reference, in their order', () => {
    const target = { mediaType, size: 524, digest, length: 524, repository: 'hello-world', tag: 'v1' };
    const { body, contentType } = write('push');
    expect(body).toBe(JSON.stringify({ id, timestamp, action: 'push', target, request }));
    expect(contentType).toBe('application/json; charset=utf-8');
  });

  it('of a push without a tag has none', () => {
    expect(write('push', anEvent({ tag: undefined })).content['target']).not.toHaveProperty('tag');
  });

  it('of a deleted manifest says which, and no size', () => {
    const event = anEvent({ kind: 'delete', tags: ['v1'], request: { id: 'r', host: 'h', method: 'DELETE' } });
    const target = { mediaType, digest, repository: 'hello-world' };
    const from = { id: 'r', host: 'h', method: 'DELETE' };
    expect(write('delete', event).body).toBe(
      JSON.stringify({ id, timestamp, action: 'delete', target, request: from }),
    );
  });

  it('of a chart has its name and version, and no request', () => {
    const event = anEvent({ repository: 'charts/wordpress', tag: '5.4.0_build.1' });
    const target = { mediaType, size: 524, digest, repository: 'charts/wordpress', tag: '5.4.0_build.1' };
    const named = { name: 'wordpress', version: '5.4.0+build.1' };
    expect(write('chart_push', event).body).toBe(
      JSON.stringify({ id, timestamp, action: 'chart_push', target: { ...target, ...named } }),
    );
    const known = write('chart_push', { ...event, chart: { name: 'wp', version: '5.4.0' } });
    expect(known.content['target']).toMatchObject({ name: 'wp', version: '5.4.0' });
    const gone = anEvent({ kind: 'delete', tag: undefined, repository: 'charts/wordpress', tags: ['5.4.0'] });
    expect(write('chart_delete', gone).content).toMatchObject({ target: { name: 'wordpress', version: '5.4.0' } });
  });

  it('of a quarantined and of an untagged manifest says what it is about', () => {
    for (const action of ['quarantine', 'untag'] as const)
      expect(write(action, anEvent({ kind: action })).content).toMatchObject({
        action,
        target: { digest, repository: 'hello-world', tag: 'v1' },
      });
  });

  it('names the registry and its own id where no request is known', () => {
    expect(write('push', anOldEvent()).content['request']).toEqual({ id, host: 'registry.test:5000', method: 'PUT' });
    expect(write('delete', anOldEvent({ kind: 'delete' })).content['request']).toMatchObject({ method: 'DELETE' });
  });
});

describe('a payload as a CloudEvent', () => {
  it.each([
    ['push', {}, 'Microsoft.ContainerRegistry.ImagePushed', 'hello-world:v1'],
    ['chart_push', {}, 'Microsoft.ContainerRegistry.ChartPushed', 'hello-world:v1'],
    ['delete', { kind: 'delete', tag: undefined }, 'Microsoft.ContainerRegistry.ImageDeleted', 'hello-world'],
    ['chart_delete', { kind: 'delete', tag: undefined }, 'Microsoft.ContainerRegistry.ChartDeleted', 'hello-world'],
    ['untag', { kind: 'untag' }, 'dev.slipway.registry.untagged', 'hello-world:v1'],
    ['quarantine', { kind: 'quarantine' }, 'dev.slipway.registry.quarantined', 'hello-world:v1'],
  ] as const)('of %s (%j) has the type %s', (action, more, type, subject) => {
    const event = anEvent(more);
    const { content, contentType } = write(action, event, 'cloudevents');
    expect(contentType).toBe('application/cloudevents+json; charset=utf-8');
    expect(content).toEqual({
      specversion: '1.0',
      id,
      source: origin.registryId,
      type,
      subject,
      time: timestamp,
      datacontenttype: 'application/json',
      data: write(action, event).content,
    });
  });
});

describe('a payload as the reference registry sends it', () => {
  it('of a push is an envelope of one event', () => {
    const { content, contentType } = write('push', anEvent(), 'distribution');
    expect(contentType).toBe('application/vnd.docker.distribution.events.v2+json');
    const url = `http://slipway.test/v2/hello-world/manifests/${digest}`;
    const target = { mediaType, digest, size: 524, length: 524, repository: 'hello-world', url, tag: 'v1' };
    const from = { ...request, addr: '10.0.0.7:40112' };
    const shown = { id, timestamp, action: 'push', target, request: from, actor: { name: 'ann' } };
    expect(content).toEqual({ events: [{ ...shown, source: { addr: 'registry.test:5000' } }] });
  });

  it.each([
    [
      { kind: 'delete', tag: undefined },
      { digest, repository: 'hello-world' },
    ],
    [{ kind: 'untag' }, { repository: 'hello-world', tag: 'v1' }],
  ])('of %j says what is gone, and nothing of what stays', (more, target) => {
    const { content } = write('delete', anEvent(more), 'distribution');
    expect(content).toMatchObject({ events: [{ action: 'delete', target }] });
  });
});

describe('payloads', () => {
  it.each(webhookFormats)('of pushes in the format %s are understood by the hook for other registries', (format) => {
    const heard = hearNotice(write('push', anEvent(), format));
    expect(heard).toMatchObject([{ image: { registry: 'registry.test:5000', repository: 'hello-world', tag: 'v1' } }]);
  });

  it.each(webhookFormats)('of a ping in the format %s are taken and come to nothing', (format) => {
    const { body, contentType } = writePing(format, { id, timestamp, name: 'hook1' }, origin);
    expect(hearNotice({ body, contentType }).flatMap((one) => ('image' in one ? [one] : []))).toEqual([]);
    expect(body).toContain('"action":"ping"');
  });

  it('have an id that is a UUID, the same for the same event and another for another', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const made = idOf(anEvent({ id: one }));
        expect(made).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(idOf(anEvent({ id: other })) === made).toBe(one === other);
      }),
    );
  });
});

describe('what a webhook is told of', () => {
  const chart = { configMediaType: 'application/vnd.cncf.helm.config.v1+json' };
  const all = [...webhookActions];
  it.each([
    [{}, all, 'push'],
    [{}, ['delete'], undefined],
    [chart, all, 'chart_push'],
    [chart, ['push'], 'push'],
    [chart, ['chart_push'], 'chart_push'],
    [{ kind: 'delete' }, all, 'delete'],
    [{ kind: 'delete', ...chart }, all, 'chart_delete'],
    [{ kind: 'delete', ...chart }, ['delete'], 'delete'],
    [{ kind: 'quarantine' }, all, 'quarantine'],
    [{ kind: 'quarantine' }, ['push'], undefined],
    [{ kind: 'untag' }, all, 'untag'],
    [{ kind: 'untag' }, ['push', 'delete'], undefined],
  ] as const)('of %j, asked for %j: %s', (more, actions, expected) => {
    const webhook = { name: 'hook1', actions, scope: '', format: 'azure', tags: {} } as const;
    expect(findAction({ status: 'Enabled', webhook }, anEvent(more))).toBe(expected);
    expect(findAction({ status: 'Disabled', webhook }, anEvent(more))).toBeUndefined();
    expect(findAction({ status: 'Enabled', webhook: { ...webhook, scope: 'other:*' } }, anEvent(more))).toBeUndefined();
  });
});
