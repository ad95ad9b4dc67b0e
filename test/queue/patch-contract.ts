import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { TaskName } from '../../src/domain/task.ts';
import type { PatchJob, PatchQueue } from '../../src/queue/ports.ts';

/** That the tag of a base stands for another digest. */
export function aTold(tag: string, change: Partial<Extract<PatchJob, { kind: 'told' }>['update']> = {}): PatchJob {
  const digest = `sha256:${'a'.repeat(64)}` as Digest;
  const image = { registry: 'localhost:5080', repository: 'base', tag, digest };
  return { kind: 'told', update: { image, source: 'registry', at: '2026-11-21T09:00:00.000Z', ...change } };
}

/** That the images of a task are to be learned. */
export function aLearn(task: string, taskVersion = 1): PatchJob {
  return { kind: 'learn', task: task as TaskName, taskVersion };
}

export const look: PatchJob = { kind: 'look' };

interface Hand {
  readonly job: PatchJob;
  readonly settle: () => void;
  readonly fail: (error: Error) => void;
}

/** What every queue of patching does; `open` gives an empty one with pauses of a few milliseconds. */
export function describePatchQueue(name: string, open: () => Promise<PatchQueue>): void {
  describe(name, () => {
    let queue: PatchQueue;
    let hands: Hand[];
    let errors: string[];
    let isOver: boolean;
    let closers: (() => Promise<void>)[];
    beforeEach(async () => {
      queue = await open();
      [hands, errors, closers, isOver] = [[], [], [], false];
    });
    afterEach(async () => {
      isOver = true;
      const closing = closers.map((close) => close());
      for (const { settle } of hands) settle();
      await Promise.all(closing);
      await queue.close();
    });
    const consume = async (): Promise<void> => {
      const consumer = await queue.consume(
        (job) =>
          new Promise((settle, fail) => {
            hands.push({ job, settle, fail });
            if (isOver) settle();
          }),
        (error) => errors.push(error.message),
      );
      closers.push(() => consumer.close());
    };
    const takes = (...jobs: PatchJob[]) =>
      expect.poll(() => hands.map(({ job }) => job), { interval: 2, timeout: 5000 }).toEqual(jobs);

    it('hands out what was told in the order it came, one at a time, also from before it was listened to', async () => {
      for (const job of [aTold('1'), look, aTold('2')]) await queue.publish(job);
      await consume();
      await takes(aTold('1'));
      hands[0]?.settle();
      await takes(aTold('1'), look);
      hands[1]?.settle();
      await takes(aTold('1'), look, aTold('2'));
    });

    it('learns of several tasks at a time, and does not let campaigns wait for them', async () => {
      await consume();
      for (const job of [aLearn('a'), aLearn('b')]) await queue.publish(job);
      await expect.poll(() => hands.length).toBe(2);
      await queue.publish(look);
      await expect.poll(() => hands.length).toBe(3);
      expect(hands.map(({ job }) => job)).toEqual(expect.arrayContaining([aLearn('a'), aLearn('b'), look]));
    });

    it('does not let pushes to our registry wait for another one that takes its time to say what a tag stands for', async () => {
      await consume();
      const asked = [aTold('a', { source: 'hook' }), aTold('b', { source: 'manual' })];
      for (const job of [...asked, aTold('1')]) await queue.publish(job);
      await expect.poll(() => hands.length).toBe(3);
      expect(hands.map(({ job }) => job)).toEqual(expect.arrayContaining([...asked, aTold('1')]));
    });

    it('hands out a job once however often it is published while it waits, and others beside it', async () => {
      const other = aTold('1', { source: 'poll' });
      for (const job of [aTold('1'), aTold('1'), other, look, aTold('1'), look]) await queue.publish(job);
      await consume();
      for (const count of [1, 2, 3]) {
        await expect.poll(() => hands.length).toBe(count);
        hands[count - 1]?.settle();
      }
      await queue.publish(aTold('last'));
      await takes(aTold('1'), other, look, aTold('last'));
    });

    it('hands out once more what is published while it is worked on, and again when it was done', async () => {
      await consume();
      await queue.publish(look);
      await takes(look);
      await Promise.all([1, 2, 3].map(() => queue.publish(look)));
      hands[0]?.settle();
      await takes(look, look);
      hands[1]?.settle();
      await queue.publish(aTold('1'));
      await takes(look, look, aTold('1'));
      hands[2]?.settle();
      await queue.publish(aLearn('a'));
      await takes(look, look, aTold('1'), aLearn('a'));
      hands[3]?.settle();
      await expect
        .poll(async () => {
          await queue.publish(aLearn('a'));
          return hands.length;
        })
        .toBe(5);
    });

    it('hands out a job again that failed, without holding up the next ones', async () => {
      await consume();
      await queue.publish(aTold('1'));
      await queue.publish(aTold('2'));
      await takes(aTold('1'));
      hands[0]?.fail(new Error('no'));
      await expect.poll(() => hands.length).toBe(2);
      hands[1]?.settle();
      await expect.poll(() => hands.length).toBe(3);
      hands[2]?.fail(new Error('no again'));
      hands[2]?.settle();
      await expect.poll(() => hands.length, { timeout: 5000 }).toBe(4);
      expect(hands.slice(1).map(({ job }) => job)).toEqual(expect.arrayContaining([aTold('1'), aTold('2')]));
      hands[3]?.settle();
      await expect.poll(() => errors).toEqual(['no', 'no again']);
    });
  });
}
