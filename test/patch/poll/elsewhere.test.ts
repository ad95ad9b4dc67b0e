import { describe, expect, it, onTestFinished } from 'vitest';
import type { Digest } from '../../../src/domain/digest.ts';
import { createLease } from '../../../src/patch/poll/lease.ts';
import { createPoller } from '../../../src/patch/poll/poller.ts';
import { createWatchList } from '../../../src/patch/poll/watch-list.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import type { PatchJob } from '../../../src/queue/ports.ts';
import { startRegistry } from '../../registry/rig.ts';
import { aRecord, anImage, openRegistries } from './rig.ts';

/** A registry of ours that plays the foreign one, and a poller that asks it every minute. */
async function open(follow: boolean) {
  const there = await startRegistry();
  onTestFinished(() => there.stop());
  const host = new URL(there.url).host;
  const { clock, registries } = openRegistries([{ userName: 'admin', password: 'secret' }]);
  const store = createMemoryStore({ clock });
  const first = await there.pushImage('team/base', '20.1');
  const trigger = follow ? { follow: [{ pattern: `${host}/team/base:20.*`, argument: 'BASE' }] } : {};
  await store.baseImages.put(aRecord('app-a', `${host}/team/base:20.1`, first.digest as Digest, trigger));
  const told: PatchJob[] = [];
  const poller = createPoller({
    watchList: createWatchList(store.baseImages, 'localhost:5080'),
    baseImages: store.baseImages,
    registries,
    publish: async (job) => void told.push(job),
    lease: createLease(store.once, 'polling', clock),
    clock,
    random: () => 0.5,
    intervalOf: () => 60_000,
    onUnanswered: (subject, because) => {
      throw new Error(`${subject}: ${because}`);
    },
  });
  const pass = async (ms: number) => {
    for (let past = 0; past < ms; past += 5000) {
      await poller.poll();
      clock.advance(5000);
    }
  };
  return { there, host, store, told, pass };
}

describe('a base in another registry', () => {
  it('is seen to have changed, by its digest', async () => {
    const { there, host, store, told, pass } = await open(false);
    await pass(120_000);
    expect(told).toEqual([]);
    const image = anImage(`${host}/team/base:20.1`);
    expect(await store.baseImages.observed([image])).toMatchObject([{ changes: 1 }]);
    const { digest } = await there.pushImage('team/base', '20.1', { annotations: { changed: 'yes' } });
    await pass(60_000);
    expect(told).toMatchObject([{ kind: 'told', update: { image: { ...image, digest }, source: 'poll' } }]);
  });

  it('is followed to its newest tag', async () => {
    const { there, host, told, pass } = await open(true);
    await pass(120_000);
    expect(told).toMatchObject([{ update: { image: { tag: '20.1' } } }].slice(0, told.length));
    const { digest } = await there.pushImage('team/base', '20.10');
    await there.pushImage('team/base', '20.9');
    await pass(120_000);
    const image = { ...anImage(`${host}/team/base:20.10`), digest };
    expect(told.at(-1)).toMatchObject({ update: { image } });
  });
});
