import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/ports.ts';
import { createRedisStore } from '../../src/store/redis/store.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';
import { aRecord, node } from '../store/base-image-store-contract.ts';
import { aCampaign, aChange, aNode, changeOf, history, plain } from '../store/campaign-store-contract.ts';
import { TestClock } from '../store/fixtures.ts';

let redis: PrivateRedis;
let client: Redis;
beforeAll(async () => {
  redis = await startRedis();
  client = new Redis(redis.url.replace('unix://', ''));
});
afterAll(async () => {
  client.disconnect();
  await redis.dispose();
});

const clock = new TestClock();
const since = '2026-11-21T09:00:00.000Z';
let prefix: string;
let one: Store;
let other: Store;
const open = (url = redis.url) => createRedisStore({ url, prefix, clock });
beforeEach(async () => {
  prefix = `test-${randomUUID()}`;
  [one, other] = await Promise.all([open(), open()]);
});
afterEach(() => Promise.all([one.close(), other.close()]));

const keysLeft = async () => (await client.keys(`${prefix}:*`)).map((key) => key.slice(prefix.length + 1)).sort();

describe('two processes on one board', () => {
  it('see the same as one process with a store in memory, whatever they write and whenever they read', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (acts) => {
        prefix = `test-${randomUUID()}`;
        const memory = createMemoryStore({ clock }).campaigns;
        const stores = await Promise.all([open(), open()]);
        let version = 0;
        for (const [round, each] of acts.entries()) {
          const expected = version - (each.isStale ? 1 : 0);
          const writer = stores[round % 2]!.campaigns;
          const change = changeOf(each, round);
          const outcomes = [await memory.commit(expected, change), await writer.commit(expected, change)];
          expect(outcomes).toEqual([!each.isStale, !each.isStale]);
          if (!each.isStale) version++;
          if (!each.reads) continue;
          const board = plain(await memory.readBoard());
          expect(plain(await stores[each.id % 2]!.campaigns.readBoard())).toEqual(board);
        }
        const fresh = await open();
        const board = plain(await memory.readBoard());
        for (const store of [...stores, fresh]) {
          expect(plain(await store.campaigns.readBoard())).toEqual(board);
          expect(await store.campaigns.readBoard(version)).toBeUndefined();
          expect(await store.campaigns.list({ limit: 9 })).toEqual(await memory.list({ limit: 9 }));
        }
        await Promise.all([...stores, fresh].map((store) => store.close()));
      }),
      { numRuns: 40 },
    );
  });

  it('come to one history when both decide at the same time, and lose no decision', async () => {
    await one.campaigns.commit(0, aChange([aCampaign('cp1')], { cp1: [aNode('shared')] }));
    const raise = async ({ campaigns }: Store): Promise<void> => {
      for (;;) {
        const board = (await campaigns.readBoard())!;
        const node = board.campaigns.get('cp1')!.nodes.get('shared')!;
        if (await campaigns.commit(board.version, aChange([], { cp1: [{ ...node, tries: node.tries + 1 }] }))) return;
      }
    };
    const both = Array.from({ length: 40 }, (_, n) => raise(n % 2 === 0 ? one : other));
    await Promise.all(both);
    for (const { campaigns } of [one, other]) {
      const board = await campaigns.readBoard();
      expect(board).toMatchObject({ version: 41 });
      expect(board?.campaigns.get('cp1')?.nodes.get('shared')).toEqual(aNode('shared', 'waiting', 40));
    }
  });

  it('know it when one has slept through more versions than are remembered', async () => {
    await one.campaigns.commit(0, aChange([aCampaign('cp1')], { cp1: [aNode('app-a')] }));
    await other.campaigns.readBoard();
    for (let n = 1; n <= 300; n++) await one.campaigns.commit(n, aChange([], { cp1: [aNode(`app-${n % 5}`)] }));
    expect(await client.llen(`${prefix}:board-log`)).toBe(256);
    expect(plain(await other.campaigns.readBoard(1))).toEqual(plain(await one.campaigns.readBoard()));
    expect(await other.campaigns.readBoard(301)).toBeUndefined();
  });
});

describe('an outage after which Redis lacks its last writes', () => {
  it('makes nobody believe that a board or a cursor from before still holds', async () => {
    const own = await startRedis();
    const store = await open(own.url);
    await store.campaigns.commit(0, aChange([aCampaign('cp1')], { cp1: [aNode('app-a')] }));
    await store.campaigns.readBoard();
    await store.baseImages.put(aRecord('lost'));
    const { cursor } = await store.baseImages.changes();
    await own.stop();
    const away = { failure: { reason: 'redis-unavailable' } };
    await expect(store.campaigns.readBoard(1)).rejects.toMatchObject(away);
    await expect(store.baseImages.changes(cursor)).rejects.toMatchObject(away);
    await expect(store.campaigns.commit(1, aChange([]))).rejects.toMatchObject(away);
    const directory = dirname(own.url.replace('unix://', ''));
    for (const name of await readdir(directory)) {
      if (name.startsWith('appendonly')) await rm(join(directory, name), { recursive: true });
    }
    await own.start();
    await expect.poll(() => store.ping().then(() => 'back', String), { timeout: 10_000 }).toBe('back');
    const process = await open(own.url);
    await process.campaigns.commit(0, aChange([aCampaign('cp2')]));
    await process.baseImages.put(aRecord('found'));
    await process.close();
    const board = await store.campaigns.readBoard(1);
    expect([...board!.campaigns.keys()]).toEqual(['cp2']);
    expect(await store.campaigns.readBoard(1)).toBeUndefined();
    expect(await store.baseImages.changes(cursor)).toMatchObject({ records: [aRecord('found')], isWhole: true });
    await store.close();
    await own.dispose();
  });
});

describe('what is kept in Redis', () => {
  it('is small when records, references and campaigns are gone', async () => {
    await one.baseImages.put(aRecord('app-a'));
    await one.baseImages.observe({ image: node('20'), since }, 0);
    await one.baseImages.delete('app-a');
    await one.baseImages.forget([node('20')]);
    const campaign = aCampaign('cp1', { status: 'Failed', finishTime: since });
    await one.campaigns.commit(0, aChange([campaign], { cp1: [aNode('app-a')] }));
    expect(await other.campaigns.removeOld('2026-11-22T00:00:00.000Z', 5)).toBe(1);
    const left = await keysLeft();
    const update = left.filter((key) => key.startsWith('campaign-update:'));
    const counts = ['base-image-count', 'base-image-removals', 'board-log', 'board-version', 'campaign-count'];
    expect(left).toEqual([...counts, ...update].sort());
    expect(update).toHaveLength(1);
    const life = await client.ttl(`${prefix}:${update[0]!}`);
    expect(life).toBeGreaterThan(29 * 86_400);
    expect(life).toBeLessThanOrEqual(30 * 86_400);
  });

  it('of base images is told whole in one process and in part in the other, by the cursor of each', async () => {
    await one.baseImages.put(aRecord('app-a'));
    const { cursor } = await one.baseImages.changes();
    await other.baseImages.put(aRecord('app-b'));
    expect(await one.baseImages.changes(cursor)).toMatchObject({ records: [aRecord('app-b')], isWhole: false });
    const elsewhere = await other.baseImages.changes(cursor);
    expect(elsewhere.isWhole).toBe(true);
    expect(elsewhere.records).toHaveLength(2);
  });

  it('holds ten thousand tasks, and more nodes in one decision than fit in a function call', async () => {
    const names = Array.from({ length: 10_000 }, (_, n) => `task-${n}`);
    await Promise.all(names.map((name) => one.baseImages.put(aRecord(name))));
    const all = await other.baseImages.changes();
    expect(new Set(all.records.map(({ task }) => task)).size).toBe(10_000);
    const nodes = Array.from({ length: 60_000 }, (_, n) => aNode(`task-${n}`));
    expect(await one.campaigns.commit(0, aChange([aCampaign('cp1')], { cp1: nodes }))).toBe(true);
    const board = await other.campaigns.readBoard();
    expect(board?.campaigns.get('cp1')?.nodes.size).toBe(60_000);
    expect((await one.campaigns.nodes('cp1')).length).toBe(60_000);
  });
});
