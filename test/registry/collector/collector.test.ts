import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../../src/blob/memory/store.ts';
import type { Digest } from '../../../src/domain/digest.ts';
import { contentKey } from '../../../src/registry/layout.ts';
import { indexType, sha, startRegistry, type RunningRegistry } from '../rig.ts';

const hourMs = 3_600_000;
const running: RunningRegistry[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});
const start = async (options: Parameters<typeof startRegistry>[0] = {}): Promise<RunningRegistry> => {
  const started = await startRegistry({ ...options, collection: { intervalMs: 0 } });
  running.push(started);
  return started;
};
const isStored = async ({ storage }: RunningRegistry, digest: string): Promise<boolean> =>
  (await storage.stat(contentKey(digest as Digest))) !== undefined;
const head = async (registry: RunningRegistry, path: string): Promise<number> =>
  (await registry.send('HEAD', `/v2/${path}`)).status;

describe('garbage collection', () => {
  it('removes a blob that no manifest came to name, after the grace and the delay', async () => {
    const registry = await start();
    const digest = await registry.pushBlob('app', 'left over');
    registry.clock.time += 23 * hourMs;
    expect(await registry.registry.collect()).toMatchObject({ unlinked: { count: 0 }, condemned: 0 });
    registry.clock.time += 2 * hourMs;
    const first = await registry.registry.collect();
    expect(first).toEqual({
      ...{ dryRun: false, unlinked: { count: 1, bytes: 9 }, condemned: 1, waiting: 1 },
      removed: { count: 0, bytes: 0 },
    });
    expect(await head(registry, `app/blobs/${digest}`)).toBe(404);
    expect(await isStored(registry, digest)).toBe(true);
    registry.clock.time += 25 * hourMs;
    const second = await registry.registry.collect();
    expect(second).toMatchObject({ removed: { count: 1, bytes: 9 }, waiting: 0 });
    expect(await isStored(registry, digest)).toBe(false);
  });

  it('says what it would do, and does nothing', async () => {
    const registry = await start();
    const digest = await registry.pushBlob('app', 'left over');
    await registry.storage.put(contentKey(sha('orphan') as Digest), Buffer.from('orphan'));
    registry.clock.time += 25 * hourMs;
    const report = { dryRun: true, unlinked: { count: 1, bytes: 9 }, removed: { count: 0, bytes: 0 } };
    const dry = await registry.registry.collect({ dryRun: true, walk: true });
    expect(dry).toEqual({ ...report, condemned: 2, waiting: 2, orphans: 1 });
    expect(await head(registry, `app/blobs/${digest}`)).toBe(200);
  });

  it('keeps what a manifest names, for as long as it does, and for a while after', async () => {
    const registry = await start();
    const { digest } = await registry.pushImage('app', 'v1');
    const layer = sha('layer of v1');
    registry.clock.time += 1000 * hourMs;
    expect(await registry.registry.collect()).toMatchObject({ unlinked: { count: 0 }, condemned: 0 });
    expect((await registry.send('DELETE', `/v2/app/manifests/${digest}`)).status).toBe(202);
    expect(await registry.registry.collect()).toMatchObject({ unlinked: { count: 0 }, condemned: 1 });
    registry.clock.time += 25 * hourMs;
    expect(await registry.registry.collect()).toMatchObject({ unlinked: { count: 2 }, removed: { count: 1 } });
    registry.clock.time += 25 * hourMs;
    expect(await registry.registry.collect()).toMatchObject({ removed: { count: 2 }, waiting: 0 });
    for (const each of [digest, layer, sha('{}')]) expect(await isStored(registry, each)).toBe(false);
    await registry.pushImage('app', 'v1');
    expect(await (await registry.send('GET', `/v2/app/blobs/${layer}`)).text()).toBe('layer of v1');
    expect((await registry.send('GET', '/v2/app/manifests/v1')).status).toBe(200);
  });

  it('leaves bytes that another repository holds', async () => {
    const registry = await start();
    const digest = await registry.pushBlob('app', '{}');
    await registry.pushImage('other', 'v1');
    registry.clock.time += 100 * hourMs;
    expect(await registry.registry.collect()).toMatchObject({ unlinked: { count: 1 }, condemned: 0 });
    expect(await head(registry, `other/blobs/${digest}`)).toBe(200);
  });

  it('a client that is told that a blob is there can count on it for a day', async () => {
    const registry = await start();
    const digest = await registry.pushBlob('app', 'asked for');
    registry.clock.time += 23 * hourMs;
    expect(await head(registry, `app/blobs/${digest}`)).toBe(200);
    registry.clock.time += 20 * hourMs;
    expect(await registry.registry.collect()).toMatchObject({ unlinked: { count: 0 } });
    registry.clock.time += 5 * hourMs;
    expect(await registry.registry.collect()).toMatchObject({ unlinked: { count: 1 } });
  });

  it.each(['a push', 'a mount'])('bytes that are condemned are saved by %s', async (what) => {
    const registry = await start();
    const digest = await registry.pushBlob('app', 'saved');
    await registry.send('DELETE', `/v2/app/blobs/${digest}`);
    expect(await registry.registry.collect()).toMatchObject({ condemned: 1 });
    registry.clock.time += 23 * hourMs;
    await registry.pushBlob('app', 'saved');
    if (what === 'a mount') {
      const mounted = await registry.send('POST', `/v2/third/blobs/uploads/?mount=${digest}&from=app`);
      expect(mounted.status).toBe(201);
      await registry.send('DELETE', `/v2/app/blobs/${digest}`);
    }
    registry.clock.time += 2 * hourMs;
    expect(await registry.registry.collect()).toMatchObject({ removed: { count: 0 }, waiting: 0 });
    const at = what === 'a mount' ? 'third' : 'app';
    expect(await (await registry.send('GET', `/v2/${at}/blobs/${digest}`)).text()).toBe('saved');
  });

  it('a deletion that nobody collected before a restart, or before a snapshot, is collected after it', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const before = await start({ storage });
    const digest = await before.pushBlob('app', 'gone');
    await before.send('DELETE', `/v2/app/blobs/${digest}`);
    await before.stop();
    const after = await start({ storage });
    expect(await after.registry.collect()).toMatchObject({ condemned: 1 });
    await after.stop();
    const last = await start({ storage });
    last.clock.time += 25 * hourMs;
    expect(await last.registry.collect()).toMatchObject({ removed: { count: 1, bytes: 4 } });
    expect(await isStored(last, digest)).toBe(false);
  });

  it('finds bytes that a crash left, by a walk through the store', async () => {
    const registry = await start();
    const orphan = sha('orphan');
    await registry.storage.put(contentKey(orphan as Digest), Buffer.from('orphan'));
    expect(await registry.registry.collect()).toMatchObject({ condemned: 0 });
    expect(await registry.registry.collect({ walk: true })).toMatchObject({ condemned: 1, orphans: 1, waiting: 1 });
    registry.clock.time += 25 * hourMs;
    expect(await registry.registry.collect()).toMatchObject({ removed: { count: 1, bytes: 6 } });
    expect(await isStored(registry, orphan)).toBe(false);
  });

  it('ends at the start what a process left in the middle of a removal', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const failing = { ...storage, delete: () => Promise.reject(new Error('killed')) };
    const before = await start({ storage: bind(storage, failing) });
    const digest = await before.pushBlob('app', 'half gone');
    await before.send('DELETE', `/v2/app/blobs/${digest}`);
    await before.registry.collect();
    before.clock.time += 25 * hourMs;
    await expect(before.registry.collect()).rejects.toThrow('killed');
    await before.stop();
    const after = await start({ storage });
    // A push that comes meanwhile waits for the end of it.
    expect(await after.pushBlob('app', 'half gone')).toBe(digest);
    expect(await (await after.send('GET', `/v2/app/blobs/${digest}`)).text()).toBe('half gone');
    expect(await after.registry.collect()).toMatchObject({ waiting: 0 });
  });

  it('what HEAD says of a blob that was just deleted does not bring it back', async () => {
    const storage = createMemoryBlobStore(() => 0);
    let whenStat: () => Promise<unknown> = () => Promise.resolve();
    const slow = bind(storage, {
      stat: async (key: string) => {
        const found = await storage.stat(key);
        await whenStat();
        return found;
      },
    });
    const registry = await start({ storage: slow });
    const digest = await registry.pushBlob('app', 'deleted');
    registry.clock.time += 20 * hourMs;
    whenStat = () => {
      whenStat = () => Promise.resolve();
      return registry.send('DELETE', `/v2/app/blobs/${digest}`);
    };
    expect(await head(registry, `app/blobs/${digest}`)).toBe(404);
    expect(await head(registry, `app/blobs/${digest}`)).toBe(404);
  });

  it('goes through an index to nothing that it names', async () => {
    const registry = await start();
    const { digest, bytes } = await registry.pushImage('app', 'by digest');
    const manifests = [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: bytes.length }];
    const body = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
    await registry.send('PUT', '/v2/app/manifests/all', { body, headers: { 'content-type': indexType } });
    registry.clock.time += 1000 * hourMs;
    expect(await registry.registry.collect({ walk: true })).toMatchObject({ unlinked: { count: 0 }, condemned: 0 });
  });
});

/** A store of class instances cannot be spread. */
function bind(storage: RunningRegistry['storage'], instead: Partial<RunningRegistry['storage']>): typeof storage {
  return new Proxy(storage, {
    get: (target, name) => {
      const own = (instead as Record<PropertyKey, unknown>)[name];
      const value = own ?? (target as unknown as Record<PropertyKey, unknown>)[name];
      return typeof value === 'function' && own === undefined ? (value as () => unknown).bind(target) : value;
    },
  });
}
