import { describe, expect, it } from 'vitest';
import type { TaskImages } from '../../../src/domain/base-image.ts';
import { fail } from '../../../src/domain/failure.ts';
import type { AskedTag, AskedTags, ForeignRegistries } from '../../../src/patch/poll/foreign-registries.ts';
import { createIntervalOf } from '../../../src/patch/poll/intervals.ts';
import { createLease } from '../../../src/patch/poll/lease.ts';
import { createPoller } from '../../../src/patch/poll/poller.ts';
import { createWatchList } from '../../../src/patch/poll/watch-list.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import type { PatchJob } from '../../../src/queue/ports.ts';
import { aRecord, anImage, digestOf, testClock } from './rig.ts';

const minute = 60_000;
const [a, b] = [digestOf('a'), digestOf('b')];
const budget = {};

interface Answers {
  readonly head?: (name: string, etag: string | undefined) => AskedTag;
  readonly tags?: (repository: string) => AskedTags;
  readonly intervals?: Readonly<Record<string, number | undefined>>;
  readonly random?: () => number;
}

/** A poller over a store in memory and registries that are made up; `ticks` lets time go by, with a poll every ten seconds. */
async function open(records: readonly TaskImages[], answers: Answers = {}) {
  const clock = testClock();
  const store = createMemoryStore({ clock });
  for (const record of records) await store.baseImages.put(record);
  const asked: string[] = [];
  const told: PatchJob[] = [];
  const unanswered: string[] = [];
  const given = { found: (): AskedTag => ({ kind: 'found', digest: a, budget }), ...answers };
  const queue = { failWith: undefined as Error | undefined };
  const registries: Pick<ForeignRegistries, 'headTag' | 'listTags'> = {
    async headTag({ registry, repository, tag = '' }, tasks, etag) {
      const name = `${registry}/${repository}:${tag}`;
      asked.push(`${name} for ${[...tasks].sort().join(' ')}${etag === undefined ? '' : ` unless ${etag}`}`);
      return given.head?.(name, etag) ?? given.found();
    },
    async listTags({ registry, repository }) {
      asked.push(`tags of ${registry}/${repository}`);
      return answers.tags?.(repository) ?? { kind: 'found', tags: [], budget };
    },
  };
  const openPoller = () =>
    createPoller({
      watchList: createWatchList(store.baseImages, 'Localhost:5080'),
      baseImages: store.baseImages,
      registries,
      publish: async (job) => {
        if (queue.failWith) throw queue.failWith;
        told.push(job);
      },
      lease: createLease(store.once, 'polls', clock),
      clock,
      random: answers.random ?? (() => 0.5),
      intervalOf: (registry) =>
        answers.intervals && Object.hasOwn(answers.intervals, registry) ? answers.intervals[registry] : 10 * minute,
      onUnanswered: (subject, because) => unanswered.push(`${subject}: ${because}`),
    });
  const poller = openPoller();
  const ticks = async (ms: number, which = poller): Promise<void> => {
    for (let past = 0; past < ms; past += 10_000) {
      await which.poll();
      clock.advance(10_000);
    }
  };
  return { clock, store, asked, told, unanswered, queue, poller, openPoller, ticks };
}

const node = 'docker.io/library/node:20';

describe('the interval of a registry', () => {
  it('is its own where it has one, whatever it is called, and may be none', () => {
    const pollMsOf = { 'index.docker.io': 30 * minute, 'ghcr.io': undefined };
    const intervalOf = createIntervalOf({ pollMs: 15 * minute, pollMsOf });
    expect(['docker.io', 'ghcr.io', 'quay.io'].map(intervalOf)).toEqual([30 * minute, undefined, 15 * minute]);
  });
});

describe('polling', () => {
  it('asks once for a reference however many tasks stand on it, and no more often than its interval', async () => {
    const records = ['app-a', 'app-b', 'app-c'].map((task) => aRecord(task, node, a));
    const { asked, told, ticks, store } = await open([...records, aRecord('ours-1', 'localhost:5080/base:1')]);
    await ticks(31 * minute);
    expect(asked).toEqual([
      `${node} for app-a app-b app-c`,
      `${node} for app-a app-b app-c`,
      `${node} for app-a app-b app-c`,
    ]);
    expect(told).toEqual([]);
    expect(await store.baseImages.observed([anImage(node)])).toMatchObject([{ image: { digest: a }, changes: 1 }]);
  });

  it('spreads what it finds at its start over the interval, varies the interval, and asks soon for what is new', async () => {
    const numbers = [0.1, 0.9, 0.5, 0, 1, 0.5, 0.5];
    const options = { random: () => numbers.shift() ?? 0.5 };
    const { asked, ticks, store, clock } = await open(
      [aRecord('app-a', 'r.test/a:1'), aRecord('app-b', 'r.test/b:1')],
      options,
    );
    await ticks(2 * minute);
    expect(asked).toEqual(['r.test/a:1 for app-a']);
    await ticks(6 * minute);
    expect(asked).toHaveLength(1);
    await store.baseImages.put(aRecord('app-d', 'r.test/d:1'));
    await ticks(minute);
    expect(asked.slice(1)).toEqual(['r.test/d:1 for app-d']);
    expect(clock.now()).toBeGreaterThan(0);
  });

  it('tells of a tag that stands for something else than before, until somebody has seen to it', async () => {
    let digest = a;
    const { told, ticks, store } = await open([aRecord('app-a', node, a)], {
      head: () => ({ kind: 'found', digest, budget }),
    });
    await ticks(10 * minute);
    digest = b;
    await ticks(10 * minute);
    const image = { ...anImage(node), digest: b };
    expect(told).toEqual([{ kind: 'told', update: { image, source: 'poll', at: expect.any(String) as string } }]);
    await ticks(10 * minute);
    expect(told).toHaveLength(2);
    await store.baseImages.observe({ image, since: '2026-11-21T09:30:00.000Z' }, 1);
    await ticks(20 * minute);
    expect(told).toHaveLength(2);
  });

  it('tells of a tag that it sees for the first time if tasks were built on something else', async () => {
    const built = await open([aRecord('app-a', node, a), aRecord('app-b', node, b)]);
    await built.ticks(10 * minute);
    expect(built.told).toHaveLength(1);
    expect(await built.store.baseImages.observed([anImage(node)])).toEqual([undefined]);
    const unknown = await open([aRecord('app-a', node)]);
    await unknown.ticks(10 * minute);
    expect(unknown.told).toEqual([]);
    expect(await unknown.store.baseImages.observed([anImage(node)])).toMatchObject([{ image: { digest: a } }]);
  });

  it('hands the ETag back, and compares what it stood for when nothing has changed since', async () => {
    const head = (_: string, etag: string | undefined): AskedTag =>
      etag === '"e1"' ? { kind: 'same', budget } : { kind: 'found', digest: a, etag: '"e1"', budget };
    const { asked, told, ticks, store, queue } = await open([aRecord('app-a', node, b)], { head });
    queue.failWith = fail('redis-unavailable', 'Redis is away');
    await expect(ticks(10 * minute)).rejects.toThrow('Redis is away');
    queue.failWith = undefined;
    await ticks(21 * minute);
    expect(asked).toEqual([
      `${node} for app-a`,
      `${node} for app-a`,
      `${node} for app-a unless "e1"`,
      `${node} for app-a unless "e1"`,
    ]);
    expect(told).toHaveLength(3);
    await store.baseImages.observe({ image: { ...anImage(node), digest: a }, since: '2026-11-21T09:30:00.000Z' }, 0);
    await ticks(10 * minute);
    expect(told).toHaveLength(3);
  });

  it('leaves a registry alone that says 429, for as long as it asks, and goes on with the others', async () => {
    const records = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => aRecord(`app-${name}`, `docker.io/library/${name}:1`));
    let isBusy = true;
    const head = (name: string): AskedTag =>
      isBusy && name.startsWith('docker.io')
        ? { kind: 'busy', because: 'the registry answers 429', budget, retryAfterMs: 30 * minute }
        : { kind: 'found', digest: a, budget };
    const { asked, ticks, unanswered } = await open([...records, aRecord('app-q', 'quay.io/o/base:1')], { head });
    await ticks(30 * minute);
    const hub = asked.filter((one) => one.startsWith('docker.io'));
    expect(hub.length).toBeLessThanOrEqual(4);
    expect(asked.filter((one) => one.startsWith('quay.io'))).toHaveLength(3);
    expect(unanswered).toHaveLength(1);
    isBusy = false;
    await ticks(10 * minute);
    expect(new Set(asked.filter((one) => one.startsWith('docker.io'))).size).toBe(6);
  });

  it('lets one that always fails not keep the others of its registry waiting', async () => {
    const head = (name: string): AskedTag =>
      name.endsWith('bad:1')
        ? { kind: 'failed', because: 'the registry answers 500', budget }
        : { kind: 'found', digest: a, budget };
    const { asked, ticks } = await open([aRecord('app-bad', 'r.test/bad:1'), aRecord('app-good', 'r.test/good:1')], {
      head,
    });
    await ticks(60 * minute);
    expect(asked.filter((one) => one.includes('good')).length).toBeGreaterThanOrEqual(5);
  });

  it('leaves a registry alone that fails at everything, and tries it again after growing pauses', async () => {
    const records = Array.from({ length: 20 }, (_, at) => aRecord(`app-${String(at)}`, `r.test/base:${String(at)}`));
    const head = (): AskedTag => ({ kind: 'failed', because: 'the connection failed: ECONNREFUSED', budget });
    const { asked, ticks, unanswered } = await open(records, { head });
    await ticks(65 * minute);
    expect(asked.length).toBeLessThan(40);
    expect(unanswered.length).toBeLessThan(4);
  });

  it('asks for what is refused or absent more and more rarely, and says so once', async () => {
    const head = (): AskedTag => ({ kind: 'absent', because: 'the registry answers 404', budget });
    const { asked, ticks, unanswered } = await open([aRecord('app-a', node)], { head });
    await ticks(240 * minute);
    expect(asked).toHaveLength(5);
    expect(unanswered).toEqual([`${node}: the registry answers 404`]);
  });

  it('spares a registry of whose limit little is left', async () => {
    const low = { limit: 100, remaining: 3, windowMs: 360 * minute };
    const head = (): AskedTag => ({ kind: 'found', digest: a, budget: low });
    const { asked, ticks } = await open([aRecord('app-a', node)], { head });
    await ticks(76 * minute);
    expect(asked).toHaveLength(2);
  });

  it('never asks a registry whose interval is 0, and asks each at its own', async () => {
    const intervals = { 'ghcr.io': undefined, 'quay.io': 2 * minute };
    const records = [
      aRecord('app-g', 'ghcr.io/o/base:1'),
      aRecord('app-q', 'quay.io/o/base:1'),
      aRecord('app-n', node),
    ];
    const { asked, ticks } = await open(records, { intervals });
    await ticks(20 * minute);
    const count = (host: string) => asked.filter((one) => one.startsWith(host)).length;
    expect([count('ghcr.io'), count('quay.io'), count('docker.io')]).toEqual([0, 10, 2]);
  });

  it('asks for nothing that no task is rebuilt for', async () => {
    const records = [
      aRecord('off-1', node, a, { status: 'Disabled' }),
      { ...aRecord('off-2', node, a), isEnabled: false },
      { ...aRecord('pinned', node), images: [{ runtime: { ...anImage(node, a), isPinned: true }, buildTime: [] }] },
      { ...aRecord('built-with', node), images: [{ buildTime: [anImage(node, a)] }] },
    ];
    const { asked, ticks } = await open(records);
    await ticks(20 * minute);
    expect(asked).toEqual([]);
  });

  it('follows the newest tag of a pattern by the order of versions, and tells of each new one', async () => {
    let tags = ['20.9', '20.10', '20.10-alpine', '21.0', 'latest'];
    const follow = [{ pattern: 'docker.io/library/node:20.*', argument: 'BASE' }];
    const { told, asked, ticks } = await open([aRecord('app-a', 'docker.io/library/node:20.9', a, { follow })], {
      tags: () => ({ kind: 'found', tags, budget }),
    });
    const newest = () => told.map((job) => job.kind === 'told' && job.update.image.tag);
    await ticks(20 * minute);
    expect(newest()).toEqual(['20.10']);
    tags = [...tags, '20.10.1', '20.9.9'];
    await ticks(10 * minute);
    expect(newest()).toEqual(['20.10', '20.10.1']);
    expect(asked.filter((one) => one.startsWith('tags of'))).toHaveLength(3);
    expect(asked.filter((one) => one.startsWith('docker.io/library/node:20.10'))).toHaveLength(2);
  });

  it('is done by one of several processes, and by another one when that is gone', async () => {
    const { asked, ticks, poller, openPoller } = await open([aRecord('app-a', node, a)]);
    const other = openPoller();
    await ticks(10_000);
    await ticks(10 * minute, {
      ...poller,
      poll: async () => {
        await Promise.all([poller.poll(), other.poll()]);
      },
    });
    expect(asked).toHaveLength(1);
    await poller.close();
    await ticks(12 * minute, other);
    expect(asked).toHaveLength(2);
  });
});
