import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/domain/event.ts';
import { imageType, indexType, sha, startRegistry, until, type RunningRegistry } from './rig.ts';

let running: RunningRegistry;
beforeEach(async () => {
  running = await startRegistry();
});
afterEach(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

const untold = (): number => running.registry.countUntoldEvents();

describe('an event', () => {
  it('tells of every push: what, where, which tag, by whom, and what the tag was before', async () => {
    const first = await running.pushImage('team/app', 'v1');
    const second = await running.pushImage('team/app', 'v1', { annotations: { n: '2' } });
    await until(() => running.events.length === 2);
    const common = {
      kind: 'push',
      repository: 'team/app',
      tag: 'v1',
      mediaType: imageType,
      by: 'admin',
      at: '2026-01-01T00:00:00.000Z',
      configMediaType: 'application/vnd.oci.image.config.v1+json',
      request: {
        id: expect.any(String) as string,
        host: running.url.slice('http://'.length),
        method: 'PUT',
        userAgent: 'node',
        address: '127.0.0.1',
      },
    };
    expect(running.events).toEqual([
      { ...common, id: expect.any(String) as string, digest: first.digest, size: first.bytes.length },
      {
        ...common,
        id: expect.any(String) as string,
        digest: second.digest,
        size: second.bytes.length,
        previousDigest: first.digest,
      },
    ]);
    expect(new Set(running.events.map(({ id }) => id)).size).toBe(2);
  });

  it('tells of a push by digest without a tag, and of a signature what it is about', async () => {
    const subject = { mediaType: imageType, digest: sha('subject'), size: 7 };
    const { digest } = await running.pushImage('app', 'by digest', { subject });
    await until(() => running.events.length === 1);
    expect(running.events[0]).toMatchObject({ kind: 'push', digest, subject: subject.digest });
    expect(running.events[0]).not.toHaveProperty('tag');
  });

  it('tells of an untagging and of a deletion', async () => {
    const { digest } = await running.pushImage('app', 'v1');
    await running.send('DELETE', '/v2/app/manifests/v1');
    await running.send('DELETE', `/v2/app/manifests/${digest}`);
    await until(() => running.events.length === 3);
    expect(running.events.slice(1)).toMatchObject([
      { kind: 'untag', repository: 'app', tag: 'v1', digest },
      { kind: 'delete', repository: 'app', digest, mediaType: imageType, tags: [] },
    ]);
  });

  it('tells of a deletion which tags have gone, and of one request by one id', async () => {
    const { digest, bytes } = await running.pushImage('app', 'v1');
    const headers = { 'content-type': imageType };
    await running.send('PUT', `/v2/app/manifests/${digest}?tag=a&tag=b`, { body: bytes, headers });
    await running.send('DELETE', `/v2/app/manifests/${digest}`);
    await until(() => running.events.length === 4);
    const [first, a, b, deleted] = running.events;
    expect(deleted).toMatchObject({ kind: 'delete', tags: ['v1', 'a', 'b'], request: { method: 'DELETE' } });
    expect(a?.request).toEqual(b?.request);
    expect(new Set([first, a, deleted].map((event) => event?.request?.id)).size).toBe(3);
  });

  it('tells where a client behind a proxy has called from', async () => {
    await running.stop();
    running = await startRegistry({ addressOf: ({ headers }) => String(headers['x-forwarded-for']) });
    const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] });
    const headers = { 'content-type': indexType, 'x-forwarded-for': '192.0.2.7' };
    await running.send('PUT', '/v2/app/manifests/v1', { body: index, headers });
    await until(() => running.events.length === 1);
    expect(running.events[0]?.request).toMatchObject({ address: '192.0.2.7' });
    expect(running.events[0]).not.toHaveProperty('configMediaType');
  });

  it('does not tell of what was refused, of blobs, or of reading', async () => {
    await running.pushBlob('app', 'hello');
    await running.send('PUT', '/v2/app/manifests/v1', { body: 'nonsense', headers: { 'content-type': imageType } });
    await running.send('DELETE', '/v2/app/manifests/v1');
    expect(running.events).toEqual([]);
    expect(untold()).toBe(0);
  });

  it('does not keep the client waiting, and leaves the outbox once it was taken', async () => {
    await running.stop();
    let take = (): void => undefined;
    const taken = new Promise<void>((resolve) => (take = resolve));
    running = await startRegistry({ onEvent: () => taken });
    await running.pushImage('app', 'v1');
    expect(untold()).toBe(1);
    take();
    await until(() => untold() === 0);
  });

  it('that is not taken is told again until it is, under the same id', async () => {
    await running.stop();
    const told: RegistryEvent[] = [];
    running = await startRegistry({
      limits: { eventRetryMs: 1 },
      onEvent: (event) => {
        told.push(event);
        if (told.length < 3) throw new Error('not now');
      },
    });
    await running.pushImage('app', 'v1');
    await until(() => untold() === 0);
    expect(told).toHaveLength(3);
    expect(new Set(told.map(({ id }) => id)).size).toBe(1);
  });

  it('that was not taken before the end is told again after a restart', async () => {
    await running.stop();
    running = await startRegistry({ onEvent: () => Promise.reject(new Error('never')) });
    const { digest } = await running.pushImage('app', 'v1');
    await running.stop();
    const { storage } = running;
    running = await startRegistry({ storage });
    await until(() => running.events.length === 1);
    expect(running.events[0]).toMatchObject({ kind: 'push', repository: 'app', tag: 'v1', digest });
    await until(() => untold() === 0);
  });
});
