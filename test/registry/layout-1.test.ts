import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryJournal, JournalMemory } from '../../src/blob/memory/journal.ts';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import type { BlobStore } from '../../src/blob/ports.ts';
import { dyingStore, withReads } from './broken-stores.ts';
import { descriptor, imageType, sha, startRegistry, type RunningRegistry } from './rig.ts';

const running: RunningRegistry[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});
const start = async (options: Parameters<typeof startRegistry>[0]): Promise<RunningRegistry> => {
  const started = await startRegistry(options);
  running.push(started);
  return started;
};

const at = (day: number): string => new Date(Date.UTC(2025, 10, day)).toISOString();
const [config, layer] = ['{}', 'a layer'];
const imageOf = (n: number, more: object = {}): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: imageType,
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
    annotations: { n: String(n) },
    ...more,
  });
const [old, present] = [imageOf(1), imageOf(2)];
const signature = imageOf(3, { subject: descriptor(imageType, present), artifactType: 'application/signature' });

const pathOf = (digest: string): string => digest.replace(':', '/');
const contentKey = (text: string): string => {
  const [, hex = ''] = sha(text).split(':');
  return `registry/blobs/sha256/${hex.slice(0, 2)}/${hex}`;
};
const below = 'registry/repositories/team/app';
const tagKey = `${below}/_tags/v1.json`;
const manifestKey = (text: string): string => `${below}/_manifests/${pathOf(sha(text))}.json`;
const blobKey = (text: string): string => `${below}/_blobs/${pathOf(sha(text))}.json`;
const eventKey = (id: string): string => `registry/outbox/${id}.json`;

function manifestOf(text: string, day: number, more: object = {}): object {
  const references = [
    { kind: 'config', mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha(config), size: config.length },
    { kind: 'layer', mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha(layer), size: layer.length },
  ];
  const times = { createdTime: at(day), updatedTime: at(day) };
  return { version: 1, digest: sha(text), mediaType: imageType, size: text.length, references, ...times, ...more };
}

function eventOf(id: string, kind: string, more: object = {}): object {
  const event = { id, kind, repository: 'team/app', digest: sha(present), mediaType: imageType, size: 1, at: at(3) };
  return { version: 1, event: { ...event, ...more } };
}

/** A repository with an image whose tag has moved once, a signature of it, and events of which half came about. */
const documents: Readonly<Record<string, object>> = {
  'registry/LAYOUT': { layout: 1, createdTime: at(1), storeId: 'the-store' },
  [`${below}/_repository.json`]: { version: 1, name: 'team/app', createdTime: at(1) },
  [blobKey(config)]: { version: 1, digest: sha(config), size: config.length, createdTime: at(1), pushedBy: 'me' },
  [blobKey(layer)]: { version: 1, digest: sha(layer), size: layer.length, createdTime: at(1), mountedFrom: 'bases/x' },
  [manifestKey(old)]: manifestOf(old, 1, { pushedBy: 'me' }),
  [manifestKey(present)]: manifestOf(present, 3),
  [manifestKey(signature)]: manifestOf(signature, 4, {
    subject: sha(present),
    artifactType: 'application/signature',
  }),
  [tagKey]: {
    ...{ version: 1, name: 'v1', digest: sha(present), createdTime: at(1), updatedTime: at(3) },
    history: [
      { digest: sha(present), time: at(3), event: 'e3', by: 'you' },
      { digest: sha(old), time: at(2), event: 'e2', by: 'me' },
      { digest: sha(old), time: at(1), event: 'e1' },
    ],
  },
  [eventKey('e3')]: eventOf('e3', 'push', { tag: 'v1' }),
  [eventKey('e4')]: eventOf('e4', 'push', { tag: 'v1' }),
  [eventKey('e5')]: eventOf('e5', 'push'),
  [eventKey('e6')]: eventOf('e6', 'delete'),
  [eventKey('e7')]: eventOf('e7', 'delete', { digest: sha('gone') }),
  [eventKey('e8')]: eventOf('e8', 'untag', { tag: 'v1' }),
  [eventKey('e9')]: eventOf('e9', 'untag', { tag: 'v0' }),
};

async function fill(storage: BlobStore, damaged: readonly string[] = []): Promise<BlobStore> {
  for (const [key, document] of Object.entries(documents)) {
    await storage.put(key, Buffer.from(damaged.includes(key) ? '{"version":1,' : JSON.stringify(document)));
  }
  for (const text of [config, layer, old, present, signature]) await storage.put(contentKey(text), Buffer.from(text));
  return storage;
}

const inMemory = (): BlobStore => createMemoryBlobStore(() => 0);

async function oldKeys(storage: BlobStore): Promise<readonly string[]> {
  const lists = [await storage.list('registry/repositories/'), await storage.list('registry/outbox/')];
  return lists.flatMap(({ keys }) => keys);
}

async function layoutOf(storage: BlobStore): Promise<object> {
  return JSON.parse((await storage.readSmall('registry/LAYOUT'))?.toString() ?? '') as object;
}

async function expectAll(registry: RunningRegistry): Promise<void> {
  const { send } = registry;
  expect(registry.registry.listRepositories()).toEqual(['team/app']);
  expect(registry.registry.listTags('team/app')).toEqual(['v1']);
  expect(await (await send('GET', '/v2/team/app/manifests/v1')).text()).toBe(present);
  expect(await (await send('GET', `/v2/team/app/manifests/${sha(old)}`)).text()).toBe(old);
  expect(await (await send('GET', `/v2/team/app/blobs/${sha(layer)}`)).text()).toBe(layer);
  const referrers = (await (await send('GET', `/v2/team/app/referrers/${sha(present)}`)).json()) as {
    manifests: { digest: string }[];
  };
  expect(referrers.manifests.map(({ digest }) => digest)).toEqual([sha(signature)]);
  expect(await oldKeys(registry.storage)).toEqual([]);
  expect(await layoutOf(registry.storage)).toEqual({ layout: 2, createdTime: at(1), storeId: 'the-store' });
}

/** Events that came about and were not told are told; the others never. */
const untold = ['e3', 'e5', 'e7', 'e9'];
const idsOf = (registry: RunningRegistry): string[] => registry.events.map(({ id }) => id).sort();

describe('a store of layout 1', () => {
  it('is taken over whole when it is opened, and stays so', async () => {
    const storage = await fill(inMemory());
    const first = await start({ storage });
    await expectAll(first);
    await first.pushImage('team/app', 'v2');
    await first.stop();
    expect(idsOf(first).filter((id) => id.length === 2)).toEqual(untold);
    const second = await start({ storage });
    expect(second.registry.listTags('team/app')).toEqual(['v1', 'v2']);
    await second.registry.close();
    expect([...first.errors, ...second.errors, ...idsOf(second)]).toEqual([]);
  });

  it('keeps times, names and the history of a tag, and gives what nobody uses its whole time', async () => {
    const storage = await fill(inMemory());
    await start({ storage });
    const lines = (await storage.readSmall('registry/snapshots/0000000000000000.ndjson'))?.toString().split('\n') ?? [];
    const records = lines.filter((line) => line.includes('"is"')).map((line) => JSON.parse(line) as Found);
    interface Found {
      is: string;
      digest?: string;
      record: object;
    }
    const find = (is: string, digest?: string): object | undefined =>
      records.find((each) => each.is === is && each.digest === digest)?.record;
    const now = new Date(Date.UTC(2026, 0, 1)).toISOString();
    expect(find('repository')).toEqual({ createdTime: at(1), updatedTime: at(1) });
    expect(find('blob', sha(config))).toEqual({ size: 2, touchedTime: now, pushedBy: 'me' });
    expect(find('blob', sha(layer))).toEqual({ size: 7, touchedTime: now, mountedFrom: 'bases/x' });
    expect(find('manifest', sha(old))).toMatchObject({ createdTime: at(1), pushedBy: 'me', untaggedSince: now });
    expect(find('manifest', sha(present))).not.toHaveProperty('untaggedSince');
    expect(find('tag')).toEqual({
      ...{ digest: sha(present), createdTime: at(1), updatedTime: at(3), by: 'you' },
      history: [{ digest: sha(old), time: at(2), by: 'me' }],
    });
  });

  it('is taken over on a disk', async () => {
    const root = await mkdtemp(join(tmpdir(), 'slipway-layout-'));
    try {
      const storage = await fill(await createDiskBlobStore(root, Date.now));
      await expectAll(await start({ storage }));
    } finally {
      await rm(root, { recursive: true });
    }
  });

  it('is taken over though damaged documents lie in it: they are named, passed over, and kept aside', async () => {
    const damaged = [manifestKey(old), blobKey(layer), eventKey('e3')];
    const storage = await fill(inMemory(), damaged);
    await storage.put(manifestKey(signature), Buffer.from(JSON.stringify({ version: 1, digest: sha(signature) })));
    const registry = await start({ storage });
    for (const key of [...damaged, manifestKey(signature)]) {
      expect(registry.errors.filter((error) => error.includes(key))).toHaveLength(1);
    }
    expect(registry.registry.resolve('team/app', 'v1')?.digest).toBe(sha(present));
    expect(registry.registry.resolve('team/app', sha(old))).toBeUndefined();
    // That it is a blob of the repository is what the key says.
    expect((await registry.send('GET', `/v2/team/app/blobs/${sha(layer)}`)).status).toBe(200);
    const { keys } = await storage.list('registry/damaged/');
    expect(keys).toHaveLength(4);
    expect(await oldKeys(storage)).toEqual([]);
  });

  it('keeps the names of a repository and of a tag whose documents are damaged as far as layout 1 did', async () => {
    const storage = await fill(inMemory(), [`${below}/_repository.json`, tagKey]);
    const registry = await start({ storage });
    expect(registry.registry.listTags('team/app')).toEqual([]);
    expect(registry.registry.resolve('team/app', sha(present))?.size).toBe(present.length);
  });

  it('leaves a signature out of the list of referrers whose bytes begin with a byte order mark, which layout 1 took', async () => {
    const storage = await fill(inMemory());
    await storage.put(contentKey(signature), Buffer.from(`\ufeff${signature}`));
    const registry = await start({ storage });
    const answer = await registry.send('GET', `/v2/team/app/referrers/${sha(present)}`);
    expect([answer.status, await answer.json()]).toMatchObject([200, { manifests: [] }]);
  });

  it('of two processes that open it at once, both have all of it', async () => {
    const storage = await fill(inMemory());
    const memory = new JournalMemory();
    const open = (): Promise<RunningRegistry> =>
      start({ storage, journal: createMemoryJournal({ memory, isShared: true }) });
    const both = await Promise.all([open(), open()]);
    for (const registry of both) await expectAll(registry);
    await both[0].pushImage('team/app', 'v2');
    expect((await both[1].send('GET', '/v2/team/app/manifests/v2')).status).toBe(200);
  });

  it('is not taken over from a process that has only read half of it before another took it over', async () => {
    const storage = await fill(inMemory());
    const memory = new JournalMemory();
    const open = (store: BlobStore): Promise<RunningRegistry> =>
      start({ storage: store, journal: createMemoryJournal({ memory, isShared: true }) });
    let isTaken = false;
    const slow = withReads(storage, async (key) => {
      if (isTaken || key !== manifestKey(present)) return;
      isTaken = true;
      await open(storage);
    });
    await expectAll(await open(slow));
    expect(isTaken).toBe(true);
    await expectAll(await open(storage));
  });

  // What is damaged aside, the snapshot (two), LAYOUT (once more at the end), and a removal for each other document.
  const writes = 5 + Object.keys(documents).length - 1;
  it.each(Array.from({ length: writes + 1 }, (_, n) => n))(
    'is taken over whole at the next opening when the first died after write %i',
    async (count) => {
      const storage = await fill(inMemory(), [manifestKey(old)]);
      const dying = dyingStore(storage, count);
      const opened = start({ storage: dying.store });
      if (count < writes) await expect(opened).rejects.toThrow('killed');
      else await (await opened).stop();
      dying.kill();
      const after = await start({ storage });
      expect(after.registry.listTags('team/app')).toEqual(['v1']);
      expect(await (await after.send('GET', '/v2/team/app/manifests/v1')).text()).toBe(present);
      expect(await oldKeys(storage)).toEqual([]);
      expect(await layoutOf(storage)).toEqual({ layout: 2, createdTime: at(1), storeId: 'the-store' });
      expect((await storage.list('registry/snapshots/')).keys).toHaveLength(1);
      expect((await storage.list('registry/damaged/')).keys).toHaveLength(1);
      await after.registry.close();
      if (count < writes) expect(idsOf(after)).toEqual(untold);
    },
  );
});
