import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileJournal } from '../../src/blob/disk/journal.ts';
import type { BlobStore } from '../../src/blob/ports.ts';
import type { Installation } from '../../src/installation.ts';
import { openRegistryStorage, type RegistryStorage } from '../../src/compose/registry-storage.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { leaveOwnJournal, leaveSharedJournal } from '../../src/registry/journal-switch.ts';
import type { RedisHint } from '../../src/store/redis/journal-hint.ts';
import { startRegistry, type RunningRegistry } from './rig.ts';

let dataDir: string;
const ends: (() => Promise<void>)[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'slipway-switch-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(dataDir, { recursive: true, force: true });
});

/** A hint that knows nothing. */
const openHint = (): RedisHint => ({
  announce: () => Promise.resolve(),
  newest: () => Promise.resolve(undefined),
  forget: () => Promise.resolve(),
  close: () => Promise.resolve(),
});

/** The registry as the product opens it. */
async function open(isShared: boolean): Promise<RunningRegistry & { readonly given: RegistryStorage }> {
  const given = await openRegistryStorage(
    {
      config: { dataDir, registryStorage: { isShared, s3: undefined } } as Installation['config'],
      clock: systemClock,
      bull: { url: 'unix:///nowhere/redis.sock', prefix: 'test' },
    },
    { openHint, mostWaitMs: 500 },
  );
  const registry = await startRegistry({ ...given, clock: systemClock });
  let isOver = false;
  const stop = async (): Promise<void> => {
    if (isOver) return;
    isOver = true;
    await registry.stop();
    await given.release();
  };
  ends.push(stop);
  return { ...registry, given, stop };
}

async function tagsOf(registry: RunningRegistry): Promise<unknown> {
  const answer = await registry.send('GET', '/v2/app/tags/list');
  return ((await answer.json()) as { tags?: string[] }).tags;
}

describe('an installation whose processes come to share the store, and back', () => {
  it('has all that it had, again and again', async () => {
    const pushed: string[] = [];
    for (const isShared of [false, true, true, false, false, true, false]) {
      const registry = await open(isShared);
      expect((await tagsOf(registry)) ?? []).toEqual(pushed);
      const tag = `v${String(pushed.length)}`;
      const { bytes } = await registry.pushImage('app', tag);
      pushed.push(tag);
      expect(await (await registry.send('GET', `/v2/app/manifests/${tag}`)).text()).toBe(bytes);
      await registry.stop();
    }
    const last = await open(true);
    expect(await tagsOf(last)).toEqual(pushed);
    for (const tag of pushed) expect((await last.send('GET', `/v2/app/manifests/${tag}`)).status).toBe(200);
  }, 60_000);

  it('is not shared while a process has the directory for itself', async () => {
    const own = await open(false);
    await own.pushImage('app', 'v0');
    const refused = expect(open(true)).rejects.toMatchObject({ failure: { reason: 'conflict' } });
    await refused;
    expect(await tagsOf(own)).toEqual(['v0']);
  }, 40_000);

  it('refuses what a process that still shares it would write after it was taken over', async () => {
    const shared = await open(true);
    await shared.pushImage('app', 'v0');
    const own = await open(false);
    await own.pushImage('app', 'v1');
    const late = await shared.send('DELETE', '/v2/app/manifests/v0');
    expect(late.status).toBe(503);
    expect((await shared.send('GET', '/v2/app/manifests/v0')).status).toBe(503);
    expect(await tagsOf(own)).toEqual(['v0', 'v1']);
  }, 40_000);
});

/** A store that stops for good after so many writes. */
function dyingStore(storage: BlobStore, writes: number): BlobStore {
  let left = writes;
  const spend = (): void => {
    left -= 1;
    if (left < 0) throw new Error('killed');
  };
  return new Proxy(storage, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const work = value as (...args: unknown[]) => unknown;
      if (name !== 'put' && name !== 'delete' && name !== 'begin') return work.bind(target);
      return async (...args: unknown[]) => {
        spend();
        return Promise.resolve(work.apply(target, args));
      };
    },
  });
}

describe('a switch that is interrupted', () => {
  const newId = (): string => `id-${String(Math.random()).slice(2)}`;

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'after %i writes leaves everything, whichever way it goes on',
    async (writes) => {
      for (const next of [true, false]) {
        const first = await open(false);
        await first.pushImage('app', 'v0');
        await first.stop();
        const storage = dyingStore(first.given.storage, writes);
        const directory = join(dataDir, 'registry', '.journal');
        const journal = await openFileJournal(directory);
        const remove = (): Promise<void> => Promise.resolve(); // killed before
        await leaveOwnJournal({ storage, clock: systemClock, newId }, { journal, remove }).catch(() => undefined);
        await journal.close();

        const second = await open(next);
        expect(await tagsOf(second)).toEqual(['v0']);
        await second.stop();
        const third = await open(true);
        await third.pushImage('app', 'v1');
        await third.stop();
        const own = await openFileJournal(directory);
        const back = { storage: dyingStore(third.given.storage, writes), clock: systemClock, newId };
        await leaveSharedJournal(back, own).catch(() => undefined);
        await own.close();
        const fourth = await open(next);
        expect(await tagsOf(fourth)).toEqual(['v0', 'v1']);
        await fourth.send('DELETE', '/v2/app/manifests/v1');
        await fourth.stop();
        const fifth = await open(false);
        expect(await tagsOf(fifth)).toEqual(['v0']);
        await fifth.stop();
      }
    },
    60_000,
  );
});
