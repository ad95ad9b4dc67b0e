import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import type { WorkerBeat } from '../../src/store/ports.ts';
import { nobody, aNewRun, line, ended, take, texts, seqsOf, useStore, type OpenStore } from './fixtures.ts';

/** The part of the store's contract about events, workers and claims (src/store/ports.ts). */
export function describeEventLog(open: OpenStore): void {
  describe('events, workers and claims', () => {
    const { at, never, started, all, statusOf } = useStore(open);

    describe('reading and following events', () => {
      it('reads after a number, at most a limit, nothing of an unknown run', async () => {
        const id = await started();
        await at.store.runs.append(id, 1, [line('a'), line('b'), line('c')]);
        expect((await at.store.events.read(id, 2, 2)).map(({ seq }) => seq)).toEqual([3, 4]);
        expect(await at.store.events.read(id, 5, 10)).toEqual([]);
        expect(await at.store.events.read(nobody, 0, 10)).toEqual([]);
      });

      it('follows from the start to the end, what was there and what comes', async () => {
        const id = await started();
        const following = take(at.store.events.follow(id, 0, never));
        for (const text of ['a', 'b', 'c']) await at.store.runs.append(id, 1, [line(text)]);
        await at.store.runs.append(id, 1, [ended]);
        expect(texts(await following)).toEqual(['run-queued', 'run-started', 'a', 'b', 'c', 'run-ended']);
      });

      it('gives many followers who join anywhere every event once and in order', async () => {
        const id = await started();
        const followers: Promise<number[]>[] = [];
        const starts: number[] = [];
        let written = 2;
        for (let batch = 0; batch < 20; batch++) {
          const after = Math.floor(written / 2);
          starts.push(after);
          followers.push(seqsOf(take(at.store.events.follow(id, after, never))));
          const lines = Array.from({ length: batch * 7 }, (_, index) => line(`${batch}.${index}`));
          await at.store.runs.append(id, 1, lines);
          written += lines.length;
        }
        await at.store.runs.append(id, 1, [ended]);
        const total = written + 1;
        for (const [index, follower] of followers.entries()) {
          const after = starts[index]!;
          expect(await follower).toEqual(Array.from({ length: total - after }, (_, offset) => after + 1 + offset));
        }
      });

      it('carries thousands of lines', async () => {
        const id = await started();
        const following = take(at.store.events.follow(id, 0, never));
        for (let batch = 0; batch < 5; batch++)
          await at.store.runs.append(
            id,
            1,
            Array.from({ length: 1000 }, (_, index) => line(`line ${index}`)),
          );
        await at.store.runs.append(id, 1, [ended]);
        expect(await following).toHaveLength(5003);
      });

      it('ends at once for an unknown run, and after the end of a final one', async () => {
        expect(await take(at.store.events.follow(nobody, 0, never))).toEqual([]);
        const id = await started();
        await at.store.runs.append(id, 1, [ended]);
        expect(await take(at.store.events.follow(id, 3, never))).toEqual([]);
        expect(await take(at.store.events.follow(id, 30, never))).toEqual([]);
        expect(texts(await take(at.store.events.follow(id, 1, never)))).toEqual(['run-started', 'run-ended']);
      });

      it('ends when its signal aborts, before or while it waits', async () => {
        const id = await started();
        expect(await take(at.store.events.follow(id, 0, AbortSignal.abort()))).toEqual([]);
        const abort = new AbortController();
        const following = take(at.store.events.follow(id, 0, abort.signal));
        const seen = take(at.store.events.follow(id, 2, never), 1);
        await at.store.runs.append(id, 1, [line('seen')]);
        await seen;
        abort.abort();
        expect((await following).length).toBeLessThanOrEqual(3);
      });

      it('ends when the store is closed', async () => {
        const id = await started();
        const other = await open({ clock: at.clock });
        const { run } = await other.runs.create(aNewRun());
        const following = take(other.events.follow(run.runId, 0, never));
        const first = await take(other.events.follow(run.runId, 0, never), 1);
        await other.close();
        expect(first).toHaveLength(1);
        expect((await following).length).toBeLessThanOrEqual(1);
        expect(await statusOf(id)).toBe('Started');
      });

      it('gives nothing any more once the live copy is gone, while the record stays', async () => {
        const id = await started();
        await at.store.runs.append(id, 1, [line('x'), ended]);
        await at.store.events.expire(id, 3600);
        expect(await all(id)).toHaveLength(4);
        await at.store.events.expire(id, 0);
        expect(await all(id)).toEqual([]);
        expect(await take(at.store.events.follow(id, 0, never))).toEqual([]);
        expect(await statusOf(id)).toBe('Succeeded');
      });
    });

    describe('workers', () => {
      const beat = (name: string, running: RunId[] = []): WorkerBeat => ({
        name,
        pool: 'default',
        concurrency: 2,
        running,
        engine: { ok: true, version: '28.2' },
        startTime: '2026-11-21T09:00:00.000Z',
      });

      it('are listed by name as they last said, until they leave', async () => {
        await at.store.workers.beat(beat('w2'));
        await at.store.workers.beat(beat('w1'));
        await at.store.workers.beat(beat('w1', ['ca1' as RunId]));
        expect(await at.store.workers.list()).toEqual([beat('w1', ['ca1' as RunId]), beat('w2')]);
        await at.store.workers.leave('w1');
        await at.store.workers.leave('nobody');
        expect(await at.store.workers.list()).toEqual([beat('w2')]);
      });
    });

    describe('things that may be used once', () => {
      it('have one winner among many at once, until released', async () => {
        const claims = await Promise.all(Array.from({ length: 10 }, () => at.store.once.claim('upload:1', 60)));
        expect(claims.filter(Boolean)).toHaveLength(1);
        expect(await at.store.once.claim('upload:2', 60)).toBe(true);
        await at.store.once.release('upload:1');
        expect(await at.store.once.claim('upload:1', 60)).toBe(true);
      });
    });

    it('answers a ping', async () => {
      await expect(at.store.ping()).resolves.toBeUndefined();
    });
  });
}
