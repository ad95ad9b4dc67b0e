import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/domain/digest.ts';
import { createImageGraph } from '../../../src/patch/graph/image-graph.ts';
import { createAskForeign, createFindUpdate, tasksAround } from '../../../src/patch/notice/find-update.ts';
import type { AskedTag } from '../../../src/patch/poll/foreign-registries.ts';
import type { HeardUpdate } from '../../../src/queue/ports.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import { aRecord, anImage, digestOf, testClock } from '../poll/rig.ts';

const [a, b] = [digestOf('a'), digestOf('b')];
const node = 'docker.io/library/node:20';
const budget = {};
const found = (digest: Digest): AskedTag => ({ kind: 'found', digest, budget });

async function open(answer: AskedTag, seen?: Digest) {
  const clock = testClock();
  const store = createMemoryStore({ clock });
  if (seen) await store.baseImages.observe({ image: { ...anImage(node), digest: seen }, since: '' }, 0);
  const graph = createImageGraph([aRecord('app-a', node, a)]);
  const asked: string[] = [];
  const ignored: string[] = [];
  const readGraph = async () => graph;
  const registries = {
    headTag: async ({ repository }: { repository: string }, tasks: readonly string[]) => {
      asked.push(`${repository} for ${tasks.join(' ')}`);
      return answer;
    },
  };
  const find = createFindUpdate({
    readGraph,
    observed: (images) => store.baseImages.observed(images),
    registryHost: 'localhost:5080',
    tags: { digestOf: async () => b },
    registries,
    clock,
    onIgnored: (_, because) => ignored.push(because),
  });
  const hear = (name = node, digest?: Digest, source: HeardUpdate['source'] = 'hook') =>
    find({ image: anImage(name, digest), source, at: '2026-11-21T09:00:00.000Z', by: 'me' });
  return { clock, asked, ignored, hear, askForeign: createAskForeign({ readGraph, registries }) };
}

describe('finding what a reference stands for of which something was heard', () => {
  it('asks its registry, for the tasks that stand on it', async () => {
    const { hear, asked } = await open(found(b), a);
    const at = '2026-11-21T09:00:00.000Z';
    expect(await hear()).toEqual({ image: anImage(node, b), source: 'hook', at, by: 'me' });
    expect(asked).toEqual(['library/node for app-a']);
  });

  it('asks also where a webhook has told a digest, since notices come in the wrong order', async () => {
    const { hear } = await open(found(b));
    expect((await hear(node, a))?.image.digest).toBe(b);
  });

  it('asks nothing of what was seen already, nobody stands on, people have told or polls have found', async () => {
    const { hear, asked, ignored } = await open(found(b), a);
    expect((await hear(node, a))?.image.digest).toBe(a);
    expect((await hear('quay.io/o/other:1', a))?.image.digest).toBe(a);
    expect(await hear('quay.io/o/other:1')).toBeUndefined();
    expect((await hear(node, b, 'manual'))?.image.digest).toBe(b);
    expect((await hear(node, b, 'poll'))?.image.digest).toBe(b);
    expect([asked, ignored]).toEqual([[], ['nothing stands on it']]);
  });

  it('asks our own registry by itself', async () => {
    const { hear, asked } = await open(found(a));
    expect((await hear('localhost:5080/base:1', undefined, 'manual'))?.image.digest).toBe(b);
    expect((await hear('localhost:5080/base:1', a, 'registry'))?.image.digest).toBe(a);
    expect((await hear('localhost:5080/base:1', a, 'manual'))?.image.digest).toBe(b);
    expect(asked).toEqual([]);
  });

  it('tries again while a registry does not show yet what was told, and then takes what it shows', async () => {
    const { hear, clock } = await open(found(a), a);
    await expect(hear(node, b)).rejects.toThrow(/does not show yet/);
    clock.advance(121_000);
    expect((await hear(node, b))?.image.digest).toBe(a);
  });

  it('takes what was told where the registry cannot be asked', async () => {
    for (const kind of ['absent', 'refused', 'busy', 'failed'] as const) {
      const { hear } = await open({ kind, because: 'no', budget });
      expect((await hear(node, b))?.image.digest).toBe(b);
    }
  });

  it('tries again for hours where nothing was told and the registry may answer later, and not where it will not', async () => {
    for (const kind of ['busy', 'failed'] as const) {
      const { hear, clock, ignored } = await open({ kind, because: 'the registry answers 502', budget });
      await expect(hear()).rejects.toThrow(/the registry answers 502/);
      clock.advance(7 * 60 * 60_000);
      expect(await hear()).toBeUndefined();
      expect(ignored).toEqual(['the registry answers 502']);
    }
    const { hear, ignored } = await open({ kind: 'absent', because: 'the registry answers 404', budget });
    expect(await hear()).toBeUndefined();
    expect(ignored).toEqual(['the registry answers 404']);
  });
});

describe('asking what a tag of a foreign registry stands for', () => {
  it('gives the digest, or nothing where it cannot be learned', async () => {
    expect(await (await open(found(b))).askForeign(anImage(node))).toBe(b);
    expect(await (await open({ kind: 'busy', because: '', budget })).askForeign(anImage(node))).toBeUndefined();
  });

  it('is done for those that stand on the image and those that make it', () => {
    const record = aRecord('app-b', node);
    const makes = { ...record, images: [{ image: anImage('ghcr.io/o/app:1'), buildTime: [anImage(node)] }] };
    const graph = createImageGraph([aRecord('app-a', 'ghcr.io/o/app:1'), makes]);
    expect(tasksAround(graph, anImage('ghcr.io/o/app:1'))).toEqual(['app-a', 'app-b']);
  });
});
