import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryJournal, JournalMemory } from '../../../src/blob/memory/journal.ts';
import { createMemoryBlobStore } from '../../../src/blob/memory/store.ts';
import type { Digest } from '../../../src/domain/digest.ts';
import type { CheckMessage, CheckOrder, Finding } from '../../../src/domain/registry-upkeep.ts';
import { encodeChanges, type Change } from '../../../src/registry/changes.ts';
import { contentKey } from '../../../src/registry/layout.ts';
import { imageType, sha, startRegistry, type RunningRegistry } from '../rig.ts';

const running: RunningRegistry[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});
const start = async (options: Parameters<typeof startRegistry>[0] = {}): Promise<RunningRegistry> => {
  const started = await startRegistry({ ...options, collection: { intervalMs: 0 } });
  running.push(started);
  return started;
};

type Found = Pick<Finding, 'kind' | 'severity' | 'where' | 'repaired'>;

async function check(registry: RunningRegistry, order: CheckOrder = {}): Promise<{ found: Found[]; left: number }> {
  const messages: CheckMessage[] = [];
  for await (const message of registry.registry.check(order)) messages.push(message);
  const summary = messages.at(-1);
  if (summary?.is !== 'summary') throw new Error('no summary');
  const found = messages.flatMap((message) => (message.is === 'finding' ? [message] : []));
  expect(summary.findings).toBe(found.length);
  return { found, left: summary.left };
}

const keyOf = (digest: string): string => contentKey(digest as Digest);
const layer = sha('layer of v1');

describe('a check', () => {
  it('finds nothing wrong with what clients have pushed, deleted and moved', async () => {
    const registry = await start();
    await registry.pushImage('app', 'v1');
    await registry.pushImage('app', 'v1', { annotations: { a: 'b' } });
    const { digest } = await registry.pushImage('other/app', 'by digest');
    await registry.pushImage('app', 'by digest', { subject: { mediaType: imageType, digest, size: 3 } });
    await registry.send('DELETE', `/v2/other/app/manifests/${digest}`);
    await registry.send('DELETE', '/v2/app/manifests/v1');
    await registry.registry.collect();
    expect(await check(registry)).toEqual({ found: [], left: 0 });
    const stopped = registry.storage;
    await registry.stop();
    const again = await start({ storage: stopped });
    expect(await check(again)).toEqual({ found: [], left: 0 });
  });

  it('counts what it saw', async () => {
    const registry = await start();
    await registry.pushImage('app', 'v1');
    const messages: CheckMessage[] = [];
    for await (const message of registry.registry.check()) messages.push(message);
    expect(messages.at(-1)).toMatchObject({
      ...{ repositories: 1, manifests: 1, tags: 1, contents: { count: 2, bytes: 13 }, findings: 0, left: 0 },
    });
  });

  it.each([
    ['missing', 'content-missing', (s: RunningRegistry) => s.storage.delete(keyOf(layer))],
    ['changed', 'content-damaged', (s: RunningRegistry) => s.storage.put(keyOf(layer), Buffer.from('layer of v2'))],
    ['shorter', 'content-damaged', (s: RunningRegistry) => s.storage.put(keyOf(layer), Buffer.from('layer'))],
  ])('finds a layer that is %s, and takes it out so that the next push brings it', async (_what, kind, harm) => {
    const registry = await start();
    const { digest } = await registry.pushImage('app', 'v1');
    await harm(registry);
    expect(await check(registry)).toMatchObject({ found: [{ kind, severity: 'error', where: layer }], left: 1 });
    const mended = await check(registry, { repair: true });
    expect(mended.found).toMatchObject([
      { kind, repaired: expect.stringContaining('taken out of app') as string },
      { kind: 'reference-missing', where: `app@${digest}` },
    ]);
    expect(mended.left).toBe(1);
    expect((await registry.send('HEAD', `/v2/app/blobs/${layer}`)).status).toBe(404);
    await registry.pushImage('app', 'v1');
    expect(await check(registry)).toEqual({ found: [], left: 0 });
    const aside = (await registry.storage.list('registry/damaged/')).keys;
    expect(aside).toHaveLength(kind === 'content-missing' ? 0 : 1);
  });

  it('asks for sizes alone when it is told to read nothing', async () => {
    const registry = await start();
    await registry.pushImage('app', 'v1');
    await registry.storage.put(keyOf(layer), Buffer.from('layer of v2'));
    expect(await check(registry, { bytes: false })).toEqual({ found: [], left: 0 });
    await registry.storage.put(keyOf(layer), Buffer.from('layer'));
    expect(await check(registry, { bytes: false })).toMatchObject({ left: 1 });
    expect(await check(registry, { repository: 'other' })).toMatchObject({ left: 0 });
    expect(await check(registry, { repository: 'app' })).toMatchObject({ left: 1 });
  });

  it.each(['lost', 'changed'])('writes the bytes of a manifest again that are %s in the store', async (what) => {
    const registry = await start();
    const { digest, bytes } = await registry.pushImage('app', 'v1');
    await check(registry);
    if (what === 'lost') await registry.storage.delete(keyOf(digest));
    else await registry.storage.put(keyOf(digest), Buffer.from('{}'));
    const kind = what === 'lost' ? 'manifest-missing' : 'manifest-damaged';
    expect(await check(registry)).toMatchObject({ found: [{ kind, where: `app@${digest}` }], left: 1 });
    expect(await check(registry, { repair: true })).toMatchObject({
      ...{ found: [{ kind, repaired: 'its bytes were written again' }], left: 0 },
    });
    expect(await check(registry)).toEqual({ found: [], left: 0 });
    expect(await (await registry.send('GET', '/v2/app/manifests/v1')).text()).toBe(bytes);
  });

  it('takes a manifest away whose bytes are nowhere, with its tags, and says so', async () => {
    const registry = await start({ limits: { manifestCacheBytes: 1 } });
    const { digest } = await registry.pushImage('app', 'v1', { annotations: { large: 'x'.repeat(70_000) } });
    const { digest: other } = await registry.pushImage('app', 'v2');
    await registry.storage.delete(keyOf(digest));
    const { found, left } = await check(registry, { repair: true });
    expect({ found, left }).toMatchObject({ found: [{ kind: 'manifest-missing' }], left: 0 });
    expect(found[0]?.repaired).toBe(`taken away: app:v1, app@${digest}`);
    expect(registry.registry.listTags('app')).toEqual(['v2']);
    expect(registry.registry.resolve('app', other)).toBeDefined();
    expect(await check(registry)).toEqual({ found: [], left: 0 });
  });

  it('removes tags that stand for nothing, mends records, and links again what is there', async () => {
    const memory = new JournalMemory();
    const storage = createMemoryBlobStore(() => Date.UTC(2026, 0, 1));
    const before = await start({ storage, journal: createMemoryJournal({ memory }) });
    const { digest } = await before.pushImage('app', 'v1');
    const record = { digest, createdTime: '2026-01-01T00:00:00Z', updatedTime: '2026-01-01T00:00:00Z' };
    await before.stop();
    const wrong = {
      ...record,
      ...{ mediaType: imageType, size: 7, references: [], artifactType: 'x/y' },
    };
    const changes = [
      { is: 'tag', repository: 'app', tag: 'lost', record: { ...record, digest: sha('nothing'), history: [] }, at: '' },
      { is: 'manifest', repository: 'app', digest, record: wrong },
      { is: 'blob', repository: 'app', digest: layer },
    ] as unknown as Change[];
    await createMemoryJournal({ memory }).append(memory.next, encodeChanges(changes));
    const registry = await start({ storage, journal: createMemoryJournal({ memory }) });
    const { found, left } = await check(registry, { repair: true });
    expect(found.map(({ kind }) => kind)).toEqual(['manifest-record-wrong', 'reference-missing', 'tag-dangling']);
    expect(left).toBe(0);
    expect(await check(registry)).toEqual({ found: [], left: 0 });
    expect(registry.registry.listTags('app')).toEqual(['v1']);
    expect((await registry.send('GET', `/v2/app/blobs/${layer}`)).status).toBe(200);
  });

  it('notes what a crash left, and has it collected', async () => {
    const storage = createMemoryBlobStore(() => Date.UTC(2025, 0, 1));
    const registry = await start({ storage });
    await storage.put(keyOf(sha('orphan')), Buffer.from('orphan'));
    await storage.put('registry/blobs/sha256/zz/odd', Buffer.from('odd'));
    const found = [
      { kind: 'orphan', severity: 'note', where: sha('orphan') },
      { kind: 'unknown-object', severity: 'warning' },
    ];
    expect(await check(registry)).toMatchObject({ found, left: 1 });
    expect(await check(registry, { repair: true })).toMatchObject({ found, left: 1 });
    expect(await check(registry)).toMatchObject({ found: [found[1]] });
  });

  it('finds a state on disk that differs from the one in memory, or cannot be read', async () => {
    const memory = new JournalMemory();
    const registry = await start({ journal: createMemoryJournal({ memory }) });
    await registry.pushImage('app', 'v1');
    const kept = [...memory.entries];
    const last = memory.entries.pop();
    memory.entries.push(encodeChanges([{ is: 'document', kind: 'odd', name: 'one', record: {} }]));
    const { found } = await check(registry);
    expect(found.map(({ kind }) => kind)).toContain('state-differs');
    memory.entries.splice(0, memory.entries.length, ...kept.slice(0, -1), Buffer.from('{'));
    expect(await check(registry)).toMatchObject({ found: [{ kind: 'state-unreadable' }], left: 1 });
    expect(last).toBeDefined();
    expect(await check(registry, { repair: true })).toMatchObject({ found: [{ kind: 'state-unreadable' }], left: 0 });
    expect(await check(registry)).toEqual({ found: [], left: 0 });
  });

  it('goes on while pushes and deletions do, and ends when it is told to', async () => {
    const registry = await start();
    const pushes = (async () => {
      for (let n = 0; n < 40; n += 1) {
        const { digest } = await registry.pushImage(`app${String(n % 3)}`, `v${String(n)}`);
        if (n % 4 === 0) await registry.send('DELETE', `/v2/app${String(n % 3)}/manifests/${digest}`);
      }
    })();
    for (let n = 0; n < 5; n += 1) expect(await check(registry)).toEqual({ found: [], left: 0 });
    await pushes;
    expect(await check(registry)).toEqual({ found: [], left: 0 });
    const stopper = new AbortController();
    stopper.abort();
    const messages: CheckMessage[] = [];
    for await (const message of registry.registry.check({}, stopper.signal)) messages.push(message);
    expect(messages.map(({ is }) => is)).not.toContain('summary');
  });
});
