import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createMemoryJournal, JournalMemory } from '../../src/blob/memory/journal.ts';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import type { Journal } from '../../src/blob/journal-ports.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { fail } from '../../src/domain/failure.ts';
import type { RepositoryName, Tag } from '../../src/domain/image-reference.ts';
import type { Change } from '../../src/registry/changes.ts';
import { compareIndexes } from '../../src/registry/check/compare.ts';
import { RegistryIndex } from '../../src/registry/contents.ts';
import { defaultLimits } from '../../src/registry/options.ts';
import { sha, startRegistry, until, type RunningRegistry } from './rig.ts';

const running: RunningRegistry[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const each of running.splice(0)) await each.stop();
});

/** Processes on one store; `appends` are the entries of the journal, and writing fails while `isBroken`. */
function setUp(isShared = false) {
  const storage = createMemoryBlobStore(() => 0);
  const memory = new JournalMemory();
  const disk = { appends: 0, isBroken: false };
  const start = async (): Promise<RunningRegistry> => {
    const inner = createMemoryJournal({ memory, isShared });
    const journal: Journal = {
      isShared,
      read: (after) => inner.read(after),
      append: (sequence, bytes) => {
        if (disk.isBroken) return Promise.reject(fail('storage-unavailable', 'the disk is full'));
        disk.appends += 1;
        return inner.append(sequence, bytes);
      },
      trim: (upTo) => inner.trim(upTo),
      close: () => inner.close(),
    };
    const quiet = { collection: { intervalMs: 0 }, care: { intervalMs: 0 } };
    const started = await startRegistry({ storage, journal, ...quiet });
    running.push(started);
    return started;
  };
  const stop = async (one: RunningRegistry): Promise<void> => {
    running.splice(running.indexOf(one), 1);
    await one.stop();
  };
  return { disk, start, stop };
}

interface Shown {
  readonly lastPulledTime?: string;
}

async function pulledAt({ send }: RunningRegistry, path: string): Promise<string | undefined> {
  const document = (await (await send('GET', `/acr/v1/app/${path}`)).json()) as { tag?: Shown; manifest?: Shown };
  return (document.tag ?? document.manifest)?.lastPulledTime;
}

const minute = 60_000;
const [t0, t1] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:01:00.000Z'];

describe('when something was last pulled', () => {
  it('is noted by a tag, with its manifest, and by a digest, for that manifest alone', async () => {
    const one = await setUp().start();
    const [a, b] = [await one.pushImage('app', 'a'), await one.pushImage('app', 'b')];
    one.clock.time += minute;
    await one.send('GET', '/v2/app/manifests/a');
    await one.send('GET', `/v2/app/manifests/${b.digest}`);
    const all = ['_tags/a', `_manifests/${a.digest}`, '_tags/b', `_manifests/${b.digest}`];
    expect(await Promise.all(all.map((path) => pulledAt(one, path)))).toEqual([t1, t1, undefined, t1]);
    const { tags } = (await (await one.send('GET', '/acr/v1/app/_tags')).json()) as { tags: Shown[] };
    expect(tags.map(({ lastPulledTime }) => lastPulledTime)).toEqual([t1, undefined]);
    const list = (await (await one.send('GET', '/acr/v1/app/_manifests')).json()) as { manifests: Shown[] };
    expect(list.manifests.map(({ lastPulledTime }) => lastPulledTime)).toEqual([t1, t1]);
    expect(await (await one.send('GET', '/acr/v1/app')).json()).toMatchObject({ lastPulledTime: t1 });
  });

  it('is not changed by HEAD, by what is refused, by blobs, and by looking at it', async () => {
    const one = await setUp().start();
    const { digest, bytes } = await one.pushImage('app', 'v1');
    const { layers } = JSON.parse(bytes) as { layers: [{ digest: string }] };
    await one.send('HEAD', '/v2/app/manifests/v1');
    await one.send('GET', `/v2/app/blobs/${layers[0].digest}`);
    await one.send('GET', '/v2/app/tags/list');
    await one.send('GET', '/v2/app/manifests/v1', { headers: { authorization: 'Basic bm86bm8=' } });
    expect([await pulledAt(one, '_tags/v1'), await pulledAt(one, `_manifests/${digest}`)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('counts a pull of what the client has already', async () => {
    const one = await setUp().start();
    const { digest } = await one.pushImage('app', 'v1');
    const known = await one.send('GET', '/v2/app/manifests/v1', { headers: { 'if-none-match': `"${digest}"` } });
    expect([known.status, await pulledAt(one, '_tags/v1')]).toEqual([304, t0]);
  });

  it('costs no commit for a pull, one every few minutes, and one at the end', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { disk, start, stop } = setUp();
    const one = await start();
    await one.pushImage('app', 'v1');
    await one.pushImage('app', 'v2');
    await until(() => one.registry.countUntoldEvents() === 0);
    const before = disk.appends;
    for (let count = 0; count < 20; count += 1) await one.send('GET', `/v2/app/manifests/v${String(1 + (count % 2))}`);
    expect(disk.appends).toBe(before);
    vi.advanceTimersByTime(defaultLimits.pullNotesMs);
    await until(() => disk.appends === before + 1);
    vi.advanceTimersByTime(defaultLimits.pullNotesMs);
    await one.send('GET', '/v2/app/manifests/v1');
    expect(disk.appends).toBe(before + 1); // nothing was new
    one.clock.time += minute;
    await one.send('GET', '/v2/app/manifests/v1');
    await stop(one);
    expect(disk.appends).toBe(before + 2);
    const next = await start();
    expect([await pulledAt(next, '_tags/v1'), await pulledAt(next, '_tags/v2')]).toEqual([t1, t0]);
    expect(await (await next.send('GET', '/acr/v1/app')).json()).toMatchObject({ lastPulledTime: t1 });
  });

  it('stays noted while it cannot be written down', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { disk, start, stop } = setUp();
    const one = await start();
    await one.pushImage('app', 'v1');
    await one.send('GET', '/v2/app/manifests/v1');
    disk.isBroken = true;
    vi.advanceTimersByTime(defaultLimits.pullNotesMs);
    expect((await one.send('GET', '/v2/app/manifests/v1')).status).toBe(200);
    disk.isBroken = false;
    await stop(one);
    expect(await pulledAt(await start(), '_tags/v1')).toBe(t0);
  });

  it('is the newest of what several processes have noted, whoever writes last', async () => {
    const { start, stop } = setUp(true);
    const [a, b] = [await start(), await start()];
    await a.pushImage('app', 'v1');
    b.clock.time += minute;
    await a.send('GET', '/v2/app/manifests/v1');
    await b.send('GET', '/v2/app/manifests/v1');
    await stop(b);
    await stop(a);
    expect(await pulledAt(await start(), '_tags/v1')).toBe(t1);
  });

  it('outlives a push of the same manifest, a move of the tag, and a change of attributes; not what is deleted', async () => {
    const { start, stop } = setUp();
    const one = await start();
    const { digest } = await one.pushImage('app', 'v1');
    await one.send('GET', '/v2/app/manifests/v1');
    await stop(one);
    const next = await start();
    await next.pushImage('app', 'v1');
    const headers = { 'content-type': 'application/json' };
    await next.send('PATCH', `/acr/v1/app/_manifests/${digest}`, { body: '{"listEnabled":false}', headers });
    await next.pushImage('app', 'v1', { annotations: { is: 'another' } });
    expect([await pulledAt(next, '_tags/v1'), await pulledAt(next, `_manifests/${digest}`)]).toEqual([t0, t0]);
    await next.send('DELETE', `/v2/app/manifests/${digest}`);
    await next.send('DELETE', '/v2/app/manifests/v1');
    await next.pushImage('app', 'v1');
    expect([await pulledAt(next, '_tags/v1'), await pulledAt(next, `_manifests/${digest}`)]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

const repository = 'app' as RepositoryName;
const time = (at: number): string => new Date(Date.UTC(2026, 0, 1) + at).toISOString();
const digests = ['a', 'b'].map((text) => sha(text) as Digest);
const digest = fc.constantFrom(...digests);
const at = fc.nat(9).map(time);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ is: fc.constant('pulled' as const), reference: fc.oneof(digest, fc.constant('v1')), at }).map((one) => {
    return { ...one, repository };
  }),
  fc.tuple(digest, fc.boolean()).map(([one, isThere]): Change => {
    const times = { createdTime: time(0), updatedTime: time(0) };
    const record = { digest: one, mediaType: 'm', size: 1, references: [], ...times };
    return { is: 'manifest', repository, digest: one, ...(isThere && { record }) };
  }),
  fc.tuple(digest, fc.boolean()).map(([one, isThere]): Change => {
    const record = { digest: one, createdTime: time(0), updatedTime: time(0), history: [] };
    return { is: 'tag', repository, tag: 'v1' as Tag, ...(isThere && { record }), at: time(0) };
  }),
);

/** No commit says of what is not there that it was pulled. */
function isDecided(index: RegistryIndex, one: Change): boolean {
  const contents = index.repository(repository);
  return (
    one.is !== 'pulled' || contents?.manifests.has(one.reference) === true || contents?.tags.has(one.reference) === true
  );
}

describe('a snapshot that is written while pulls are', () => {
  it('comes to the same state, whatever happens meanwhile', () => {
    const many = fc.array(change, { maxLength: 12 });
    fc.assert(
      fc.property(many, many, fc.array(fc.nat(3), { maxLength: 12 }), (before, meanwhile, pace) => {
        const live = new RegistryIndex();
        live.apply({ is: 'repository', repository, record: { createdTime: time(0), updatedTime: time(0) } });
        for (const one of before) live.apply(one);
        const [left, journal, written]: [Change[], Change[], Change[]] = [[...meanwhile], [], []];
        const goOn = (steps: number): void => {
          for (const next of left.splice(0, steps)) {
            if (!isDecided(live, next)) continue;
            journal.push(next);
            live.apply(next);
          }
        };
        for (const one of live.changes()) {
          written.push(one);
          goOn(pace[written.length - 1] ?? 0);
        }
        goOn(Infinity);
        const read = new RegistryIndex();
        for (const one of [...written, ...journal]) read.apply(one);
        expect([...compareIndexes(live, read, repository)]).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});
