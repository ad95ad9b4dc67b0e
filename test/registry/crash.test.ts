import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import type { BlobStore, StagedUpload } from '../../src/blob/ports.ts';
import { fail } from '../../src/domain/failure.ts';
import { codesOf, imageType, indexType, sha, startRegistry, type RunningRegistry } from './rig.ts';

const running: RunningRegistry[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});
const start = async (options: Parameters<typeof startRegistry>[0]): Promise<RunningRegistry> => {
  const started = await startRegistry(options);
  running.push(started);
  return started;
};

const tagged = (n: number): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [], annotations: { n: String(n) } });
const put = (registry: RunningRegistry, tag: string, body: string): Promise<Response> =>
  registry.send('PUT', `/v2/app/manifests/${tag}`, { body, headers: { 'content-type': indexType } });

/** A store that does `writes` more writes, and then none: what a killed process leaves behind. */
function dyingStore(store: BlobStore, writes: number, error = new Error('killed')): BlobStore {
  let left = writes;
  const spend = (): void => {
    left -= 1;
    if (left < 0) throw error;
  };
  const upload = (staged: StagedUpload): StagedUpload => {
    const commit = staged.commit.bind(staged);
    const discard = staged.discard.bind(staged);
    return Object.assign(staged, {
      commit: async (key: string) => (spend(), commit(key)),
      discard: async () => (spend(), discard()),
    });
  };
  return {
    stat: (key) => store.stat(key),
    read: (key, range) => store.read(key, range),
    readSmall: (key, maxBytes) => store.readSmall(key, maxBytes),
    list: (prefix, page) => store.list(prefix, page),
    listStaged: (prefix) => store.listStaged(prefix),
    put: async (key, bytes, options) => (spend(), store.put(key, bytes, options)),
    flush: () => store.flush(),
    delete: async (key) => (spend(), store.delete(key)),
    begin: async (id) => (spend(), upload(await store.begin(id))),
    resume: async (id) => {
      const staged = await store.resume(id);
      return staged && upload(staged);
    },
  };
}

describe('when the process dies', () => {
  it.each(Array.from({ length: 14 }, (_, n) => n))(
    'after write %i of a push, the tag stands for the old or the new manifest, never for nothing, and no acknowledged event is lost',
    async (writes) => {
      const storage = createMemoryBlobStore(() => 0);
      const before = await start({ storage });
      await put(before, 'v1', tagged(1));
      await before.stop();
      const dying = await start({
        storage: dyingStore(storage, writes),
        onEvent: () => Promise.reject(new Error('dead')),
      });
      const answer = await put(dying, 'v1', tagged(2));
      await dying.registry.close();
      const after = await start({ storage });
      const found = after.registry.resolve('app', 'v1')?.digest;
      const isNew = found === sha(tagged(2));
      if (answer.status === 201) expect(isNew).toBe(true);
      expect([sha(tagged(1)), sha(tagged(2))]).toContain(found);
      expect(await (await after.send('GET', '/v2/app/manifests/v1')).text()).toBe(tagged(isNew ? 2 : 1));
      // An event of a push that did not come about is never told; one that did is told, acknowledged or not.
      await after.registry.close();
      expect(after.events.map(({ digest }) => digest)).toEqual(isNew ? [sha(tagged(2))] : []);
    },
  );

  it.each(Array.from({ length: 8 }, (_, n) => n))(
    'after write %i of a deletion, what is left can be read whole',
    async (writes) => {
      const storage = createMemoryBlobStore(() => 0);
      const before = await start({ storage });
      const digest = sha(tagged(1));
      for (const tag of ['v1', 'v2']) await put(before, tag, tagged(1));
      await before.stop();
      const dying = await start({
        storage: dyingStore(storage, writes),
        onEvent: () => Promise.reject(new Error('dead')),
      });
      const answer = await dying.send('DELETE', `/v2/app/manifests/${digest}`);
      await dying.registry.close();
      const after = await start({ storage });
      const isThere = after.registry.resolve('app', digest) !== undefined;
      if (answer.status === 202) expect(isThere).toBe(false);
      for (const tag of after.registry.listTags('app') ?? []) {
        expect((await after.send('GET', `/v2/app/manifests/${tag}`)).status).toBe(200);
      }
      if (!isThere) {
        await put(after, digest, tagged(1));
        expect(after.registry.listTags('app')).toEqual([]);
      }
    },
  );

  it.each(Array.from({ length: 5 }, (_, n) => n))(
    'after write %i of a blob, the blob is there whole or not at all',
    async (writes) => {
      const storage = createMemoryBlobStore(() => 0);
      const dying = await start({ storage: dyingStore(storage, 1 + writes) }); // the first is the layout's
      const answer = await dying.send('POST', `/v2/app/blobs/uploads/?digest=${sha('hello')}`, { body: 'hello' });
      const after = await start({ storage });
      const found = await after.send('GET', `/v2/app/blobs/${sha('hello')}`);
      if (answer.status === 201) expect(found.status).toBe(200);
      expect([found.status, await found.text()]).toEqual(
        found.status === 200 ? [200, 'hello'] : [404, expect.any(String)],
      );
      expect(await after.pushBlob('app', 'hello')).toBe(sha('hello'));
    },
  );
});

describe('after a restart', () => {
  it('on the same directory everything is as it was, and uploads go on where they stopped', async () => {
    const root = await mkdtemp(join(tmpdir(), 'slipway-registry-'));
    try {
      const before = await start({ storage: await createDiskBlobStore(root, () => Date.now()) });
      const { digest, bytes } = await before.pushImage('team/app', 'v1');
      await before.pushImage('team/app', 'by digest', {
        subject: { mediaType: imageType, digest, size: bytes.length },
      });
      const session = (await before.send('POST', '/v2/team/app/blobs/uploads/')).headers.get('location') ?? '';
      await before.send('PATCH', session, { body: 'hello ' });
      await before.stop();
      const after = await start({ storage: await createDiskBlobStore(root, () => Date.now()) });
      expect(await (await after.send('GET', '/v2/team/app/manifests/v1')).text()).toBe(bytes);
      expect(after.registry.listRepositories()).toEqual(['team/app']);
      const { manifests } = (await (await after.send('GET', `/v2/team/app/referrers/${digest}`)).json()) as {
        manifests: object[];
      };
      expect(manifests).toHaveLength(1);
      expect((await after.send('GET', session)).headers.get('range')).toBe('0-5');
      const closed = await after.send('PUT', `${session}?digest=${sha('hello world')}`, { body: 'world' });
      expect(closed.status).toBe(201);
      expect(after.errors).toEqual([]);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });

  it('uploads that a crash left and nobody can resume are removed a day later', async () => {
    const storage = createMemoryBlobStore(() => Date.UTC(2026, 0, 1));
    await storage.begin('registry-lost');
    await storage.begin('context-of-another-room');
    const after = await start({ storage });
    expect(await after.registry.removeExpiredUploads()).toBe(0);
    after.clock.time += 25 * 3_600_000;
    expect(await after.registry.removeExpiredUploads()).toBe(1);
    expect(await storage.listStaged('')).toMatchObject([{ id: 'context-of-another-room' }]);
  });

  it('a store of a newer layout is left alone', async () => {
    const storage = createMemoryBlobStore(() => 0);
    await storage.put('registry/LAYOUT', Buffer.from('{"layout":3}'));
    await expect(startRegistry({ storage })).rejects.toMatchObject({ failure: { reason: 'unsupported' } });
  });
});

describe('when the disk is full', () => {
  it('a push is refused with 503, pulls go on, and pushes work again when there is room', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const first = await start({ storage });
    await put(first, 'v1', tagged(1));
    await first.stop();
    const full = await start({ storage: dyingStore(storage, 0, fail('storage-unavailable', 'the disk is full')) });
    const refused = await put(full, 'v2', tagged(2));
    expect([refused.status, await codesOf(refused)]).toEqual([503, ['UNAVAILABLE']]);
    expect((await full.send('GET', '/v2/app/manifests/v1')).status).toBe(200);
    expect((await full.send('GET', '/v2/app/manifests/v2')).status).toBe(404);
    const after = await start({ storage });
    expect((await put(after, 'v2', tagged(2))).status).toBe(201);
  });
});
