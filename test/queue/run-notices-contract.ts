import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import type { NoticeListener, RunNotice, RunNotices } from '../../src/queue/ports.ts';

/** A notice of the attempt that there is only one of in most tests. */
export function aNotice(runId: string, kind: RunNotice['kind'] = 'ended', attempt = 1): RunNotice {
  return { runId: runId as RunId, kind, attempt };
}

/** What every queue of notices does; `open` gives an empty one that tries three times with pauses of a few milliseconds. */
export function describeRunNotices(name: string, open: () => Promise<RunNotices>): void {
  describe(name, () => {
    let notices: RunNotices;
    let closers: (() => Promise<void>)[];
    beforeEach(async () => {
      notices = await open();
      closers = [];
    });
    afterEach(async () => {
      for (const close of closers) await close();
      await notices.close();
    });
    const listen = async (listener: NoticeListener, handle?: (notice: RunNotice) => Promise<void>) => {
      const heard: RunNotice[] = [];
      const errors: string[] = [];
      const consumer = await notices.consume(
        listener,
        async (notice) => {
          heard.push(notice);
          await handle?.(notice);
        },
        (error) => errors.push(error.message),
      );
      closers.push(() => consumer.close());
      return { heard, errors };
    };

    it('tells each listener everything, also from before it listened', async () => {
      await notices.publish(aNotice('ca1'));
      const one = await listen('notifications');
      await expect.poll(() => one.heard).toEqual([aNotice('ca1')]);
      const other = await listen('commit-statuses');
      await notices.publish(aNotice('ca2', 'queued', 0));
      await expect.poll(() => one.heard).toEqual([aNotice('ca1'), aNotice('ca2', 'queued', 0)]);
      await expect.poll(() => other.heard.length).toBe(2);
    });

    it('tells of the same thing once, and of another attempt or kind again', async () => {
      const { heard } = await listen('notifications');
      await Promise.all([1, 2, 3].map(() => notices.publish(aNotice('ca1', 'started'))));
      await expect.poll(() => heard.length).toBe(1);
      await notices.publish(aNotice('ca1', 'started'));
      await notices.publish(aNotice('ca1', 'started', 2));
      await notices.publish(aNotice('ca1', 'ended', 2));
      await expect.poll(() => heard.length).toBe(3);
      expect(heard.map(({ kind, attempt }) => `${kind} ${attempt}`).sort()).toEqual([
        'ended 2',
        'started 1',
        'started 2',
      ]);
    });

    it('tells many at once, to all listeners or to some, and nothing twice', async () => {
      const [one, other] = [await listen('notifications'), await listen('commit-statuses')];
      const many = Array.from({ length: 250 }, (_, index) => aNotice(`ca${index + 1}`, 'queued', 0));
      await notices.publish(aNotice('ca1', 'queued', 0));
      await notices.publishMany(many, ['notifications']);
      await notices.publishMany([]);
      await notices.publishMany([aNotice('ca1'), aNotice('ca2', 'queued', 0)]);
      await expect.poll(() => one.heard.length, { timeout: 5000 }).toBe(251);
      await expect.poll(() => other.heard.length).toBe(3);
      const sorted = (list: readonly RunNotice[]) => list.map(({ runId, kind }) => `${runId} ${kind}`).sort();
      expect(sorted(one.heard)).toEqual(sorted([...many, aNotice('ca1')]));
      expect(sorted(other.heard)).toEqual(['ca1 ended', 'ca1 queued', 'ca2 queued']);
    });

    it('tells those who learn of base images of the ends of runs alone', async () => {
      const { heard } = await listen('base-images');
      await notices.publishMany([aNotice('ca1', 'queued', 0), aNotice('ca2')]);
      for (const kind of ['queued', 'started', 'ended'] as const) await notices.publish(aNotice('ca3', kind));
      await expect.poll(() => heard.length).toBe(2);
      expect(heard.map(({ runId, kind }) => `${runId} ${kind}`).sort()).toEqual(['ca2 ended', 'ca3 ended']);
    });

    it('tells one listener again when it failed, gives up in the end, and does not bother the other', async () => {
      const failing = await listen('notifications', async ({ runId }) => {
        throw new Error(`no ${runId}`);
      });
      const other = await listen('commit-statuses');
      await notices.publish(aNotice('ca1'));
      await expect.poll(() => failing.errors).toEqual(['no ca1', 'no ca1', 'no ca1']);
      await notices.publish(aNotice('ca2'));
      await expect.poll(() => failing.heard.length).toBe(6);
      expect(other.heard).toEqual([aNotice('ca1'), aNotice('ca2')]);
    });
  });
}
