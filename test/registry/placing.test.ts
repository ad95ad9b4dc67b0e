import { describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { createObjectJournal } from '../../src/blob/object-journal.ts';
import type { BlobStore, PutOptions } from '../../src/blob/ports.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { RepositoryName } from '../../src/domain/image-reference.ts';
import { encodeChanges, type Change } from '../../src/registry/changes.ts';
import { leaveOwnJournal } from '../../src/registry/journal-switch.ts';
import { contentKey, contentPrefix, journalPrefix } from '../../src/registry/layout.ts';
import { ManifestBytes } from '../../src/registry/manifest-bytes.ts';
import { sha, startRegistry } from './rig.ts';

type Put = (key: string, options: PutOptions | undefined) => Promise<void> | void;

/** A store that calls `onPut` before each put. */
function withPuts(store: BlobStore, onPut: Put): BlobStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'put') return value.bind(target) as unknown;
      return async (key: string, bytes: Uint8Array, options?: PutOptions) => {
        await onPut(key, options);
        return target.put(key, bytes, options);
      };
    },
  });
}

const text = 'small';
const digest = sha(text) as Digest;

/** The change that brings a small blob with these bytes. */
const blobOf = (content: string): Change => ({
  ...{ is: 'blob', repository: 'app' as RepositoryName, digest: sha(content) as Digest },
  ...{
    record: { size: content.length, touchedTime: '2026-01-01T00:00:00.000Z' },
    bytes: Buffer.from(content).toString('base64'),
  },
});
const blob = blobOf(text);

describe('bytes that came through the journal', () => {
  it('are not written any more by anybody once all have their place', async () => {
    let underWay = 0;
    const waiting: (() => void)[] = [];
    const inner = createMemoryBlobStore(() => 0);
    const store = withPuts(inner, async () => {
      underWay += 1;
      // The first one to write is the slower one.
      if (underWay === 1) await new Promise<void>((resolve) => waiting.push(resolve));
      underWay -= 1;
    });
    const bytes = new ManifestBytes(store, { cacheBytes: 1024 });
    bytes.note([blob]);
    await bytes.placeSoon();
    const placed = bytes.placeAll();
    setTimeout(() => waiting[0]?.(), 50);
    await placed;
    expect(underWay).toBe(0);
  });

  it('get their place even where others cannot be placed, and the first failure is told', async () => {
    const contents = Array.from({ length: 9 }, (_, number) => `content ${String(number)}`);
    const keys = contents.map((content) => contentKey(sha(content) as Digest));
    const inner = createMemoryBlobStore(() => 0);
    const store = withPuts(inner, (key) => {
      if (key === keys[0] || key === keys[5]) throw new Error(`no room for ${contents[keys.indexOf(key)] ?? ''}`);
    });
    const bytes = new ManifestBytes(store, { cacheBytes: 1024 });
    bytes.note(contents.map(blobOf));
    await expect(bytes.placeAll()).rejects.toThrow('no room for content 0');
    const placed = await Promise.all(keys.map(async (key) => (await inner.stat(key)) !== undefined));
    expect(placed).toEqual([false, true, true, true, true, false, true, true, true]);
    expect(contents.filter((content) => bytes.unplaced(sha(content) as Digest))).toEqual(['content 0', 'content 5']);
  });

  it('are put so that they last where other processes write snapshots', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const puts: unknown[] = [];
    const watched = withPuts(storage, (key, options) => {
      if (key.startsWith(contentPrefix)) puts.push(options?.isLasting);
    });
    const journal = createObjectJournal({ storage, prefix: journalPrefix, clock: { now: () => Date.now() } });
    const running = await startRegistry({ storage: watched, journal });
    await running.pushImage('app', 'v1');
    await running.stop();
    expect(puts).toEqual([undefined, undefined, undefined]);
  });

  it('are written again at a start, for what is there may not have reached the disk', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const before = await startRegistry({ storage });
    await before.pushBlob('app', text);
    await before.stop();
    const puts: unknown[] = [];
    const watched = withPuts(storage, (key) => {
      if (key.startsWith(contentPrefix)) puts.push(key);
    });
    await (await startRegistry({ storage: watched })).stop();
    expect(puts).toEqual([contentKey(digest)]);
  });

  it('replace what a power cut left of them when the journal is left for a shared one', async () => {
    const storage = createMemoryBlobStore(() => 0);
    const clock = { now: () => 0 };
    const journal = createObjectJournal({ storage, prefix: 'own/', clock, isShared: false });
    await journal.append(1, encodeChanges([blob]));
    await storage.put(contentKey(digest), Buffer.alloc(text.length));
    await leaveOwnJournal({ storage, clock, newId: () => 'id' }, { journal, remove: () => Promise.resolve() });
    expect((await storage.readSmall(contentKey(digest)))?.toString()).toBe(text);
  });
});
