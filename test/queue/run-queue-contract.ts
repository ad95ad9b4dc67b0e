import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import type { RunConsumer } from '../../src/queue/ports.ts';
import { createHands, type QueueUnderTest } from './hands.ts';

const [a, b, c, old] = ['ca1', 'ca2', 'ca3', 'ca4'] as [RunId, RunId, RunId, RunId];

/** What every queue does: the contract written in src/queue/ports.ts. `open` gives an empty one that puts runs off for 50 ms or so. */
export function describeRunQueue(name: string, open: () => Promise<QueueUnderTest>): void {
  describe(name, () => {
    let under: QueueUnderTest;
    let consumers: RunConsumer[];
    let hands: ReturnType<typeof createHands>;

    beforeEach(async () => {
      under = await open();
      consumers = [];
      hands = createHands();
    });
    afterEach(async () => {
      const closing = consumers.map((consumer) => consumer.close());
      for (const { settle } of hands.taken) settle('done');
      await Promise.all(closing);
      await under.queue.close();
    });

    const consume = async (concurrency = 1, by = hands): Promise<RunConsumer> => {
      const consumer = await under.consume(by.options(concurrency));
      consumers.push(consumer);
      return consumer;
    };
    const takes = (...ids: string[]) => expect.poll(() => hands.ids(), { interval: 2, timeout: 5000 }).toEqual(ids);

    it('hands out runs in the order they came, each once', async () => {
      for (const id of [a, b, a, c, b]) await under.queue.enqueue(id);
      await consume();
      await takes('ca1');
      hands.taken[0]?.settle('done');
      await takes('ca1', 'ca2');
      hands.taken[1]?.settle('done');
      await takes('ca1', 'ca2', 'ca3');
      hands.taken[2]?.settle('done');
      await expect.poll(() => under.queue.has(c)).toBe(false);
      expect(hands.ids()).toEqual(['ca1', 'ca2', 'ca3']);
      expect(hands.errors).toEqual([]);
    });

    it('works on as many runs at once as it is told', async () => {
      await consume(2);
      for (const id of [a, b, c]) await under.queue.enqueue(id);
      await takes('ca1', 'ca2');
      expect(await under.queue.position(c)).toBe(1);
      hands.taken[1]?.settle('done');
      await takes('ca1', 'ca2', 'ca3');
    });

    it('knows runs that wait and that are worked on, and the place of those that wait', async () => {
      for (const id of [a, b, c]) await under.queue.enqueue(id);
      expect(await Promise.all([a, b, c].map((id) => under.queue.position(id)))).toEqual([1, 2, 3]);
      await consume();
      await takes('ca1');
      expect(await Promise.all([a, b, c].map((id) => under.queue.position(id)))).toEqual([undefined, 1, 2]);
      expect(await Promise.all([a, b, c].map((id) => under.queue.has(id)))).toEqual([true, true, true]);
      hands.taken[0]?.settle('done');
      await expect.poll(() => under.queue.has(a)).toBe(false);
    });

    it('has no second turn for a run that is queued again while it is worked on', async () => {
      await consume();
      await under.queue.enqueue(a);
      await takes('ca1');
      await under.queue.enqueue(a);
      hands.taken[0]?.settle('done');
      await expect.poll(() => under.queue.has(a)).toBe(false);
      await under.queue.enqueue(b);
      await takes('ca1', 'ca2');
    });

    it('takes a run again that is queued after it was worked off', async () => {
      await consume();
      await under.queue.enqueue(a);
      await takes('ca1');
      hands.taken[0]?.settle('done');
      await expect.poll(() => under.queue.has(a)).toBe(false);
      await under.queue.enqueue(a);
      await takes('ca1', 'ca1');
    });

    it('takes waiting runs out, but not those that are worked on', async () => {
      for (const id of [a, b]) await under.queue.enqueue(id);
      expect(await under.queue.remove(b)).toBe(true);
      expect(await under.queue.remove(b)).toBe(false);
      expect(await under.queue.has(b)).toBe(false);
      await consume();
      await takes('ca1');
      expect(await under.queue.remove(a)).toBe(false);
      expect(await under.queue.has(a)).toBe(true);
    });

    it('puts a run that is handed back first in line', async () => {
      const consumer = await consume();
      for (const id of [a, b, c]) await under.queue.enqueue(id);
      await takes('ca1');
      await consumer.pause();
      hands.taken[0]?.settle('hand-back');
      await expect.poll(() => under.queue.position(a)).toBe(1);
      expect(await Promise.all([b, c].map((id) => under.queue.position(id)))).toEqual([2, 3]);
      const others = createHands();
      await consume(1, others);
      await expect.poll(() => others.ids()).toEqual(['ca1']);
      for (const { settle } of others.taken) settle('done');
      await expect.poll(() => others.ids()).toEqual(['ca1', 'ca2']);
      for (const { settle } of others.taken) settle('done');
      await expect.poll(() => others.ids()).toEqual(['ca1', 'ca2', 'ca3']);
      for (const { settle } of others.taken) settle('done');
    });

    it('gives a run that is handed back to another consumer that is idle', async () => {
      await consume();
      await under.queue.enqueue(a);
      await takes('ca1');
      const others = createHands();
      await consume(1, others);
      hands.taken[0]?.settle('hand-back');
      await expect.poll(() => others.ids()).toEqual(['ca1']);
      others.taken[0]?.settle('done');
      expect(hands.ids()).toEqual(['ca1']);
    });

    it('gives a run that is handed back to the same consumer when there is no other', async () => {
      await consume();
      await under.queue.enqueue(a);
      await takes('ca1');
      hands.taken[0]?.settle('hand-back');
      await takes('ca1', 'ca1');
    });

    it('takes nothing while paused, lets go on what it works on, and takes again afterwards', async () => {
      const consumer = await consume(2);
      await under.queue.enqueue(a);
      await takes('ca1');
      await consumer.pause();
      await under.queue.enqueue(b);
      await under.queue.enqueue(c);
      hands.taken[0]?.settle('done');
      await expect.poll(() => under.queue.has(a)).toBe(false);
      await expect.poll(() => under.queue.position(b), { timeout: 5000 }).toBe(1);
      expect(hands.ids()).toEqual(['ca1']);
      await consumer.resume();
      await takes('ca1', 'ca2', 'ca3');
    });

    it('stays paused when paused before anything came', async () => {
      const consumer = await consume();
      await consumer.pause();
      await under.queue.enqueue(a);
      const others = createHands();
      await consume(1, others);
      await expect.poll(() => others.ids(), { timeout: 5000 }).toEqual(['ca1']);
      others.taken[0]?.settle('done');
      expect(hands.ids()).toEqual([]);
    });

    it('closes when the runs at work have ended, and leaves the rest to others', async () => {
      const consumer = await consume();
      await under.queue.enqueue(a);
      await under.queue.enqueue(b);
      await takes('ca1');
      let isClosed = false;
      const closing = consumer.close().then(() => {
        isClosed = true;
      });
      expect(isClosed).toBe(false);
      hands.taken[0]?.settle('done');
      await closing;
      expect(hands.ids()).toEqual(['ca1']);
      expect(await under.queue.position(b)).toBe(1);
    });

    it('gives back what is handed back while it closes', async () => {
      const consumer = await consume();
      await under.queue.enqueue(a);
      await takes('ca1');
      const closing = consumer.close();
      hands.taken[0]?.settle('hand-back');
      await closing;
      expect(await under.queue.position(a)).toBe(1);
    });

    it('hands out the runs of the more urgent lane first, unless they are much younger', async () => {
      const now = Date.now();
      await under.queue.enqueue(a, { lane: 'patches', since: now });
      await under.queue.enqueue(b, { lane: 'pushes', since: now });
      await under.queue.enqueue(c, { lane: 'people', since: now });
      await under.queue.enqueue(old, { lane: 'patches', since: now - 2 * 3_600_000 });
      const position = (id: RunId) => under.queue.position(id);
      expect(await Promise.all([old, c, b, a].map(position))).toEqual([1, 2, 3, 4]);
      await consume();
      for (const count of [1, 2, 3, 4]) {
        await expect.poll(() => hands.taken.length, { timeout: 5000 }).toBe(count);
        hands.taken[count - 1]?.settle('done');
      }
      expect(hands.ids()).toEqual([old, c, b, a]);
    });

    it('gives a pool’s runs to its own workers only, whatever the letter case', async () => {
      await under.queue.enqueue(a, { pool: 'GPU:1' });
      await under.queue.enqueue(b);
      await consume();
      await takes('ca2');
      expect(await Promise.all([a, b].map((id) => under.queue.has(id)))).toEqual([false, true]);
      expect(await under.queue.position(a, 'gpu:1')).toBe(1);
      expect(await under.queue.has(a, 'gpu:1')).toBe(true);
      const others = createHands();
      consumers.push(await under.consume({ ...others.options(), pool: 'gpu:1' }));
      await expect.poll(() => others.ids(), { timeout: 5000 }).toEqual(['ca1']);
      others.taken[0]?.settle('done');
      await expect.poll(() => under.queue.has(a, 'gpu:1')).toBe(false);
      await under.queue.enqueue(c, { pool: 'idle' });
      expect(await under.queue.remove(c)).toBe(false);
      expect(await under.queue.remove(c, 'idle')).toBe(true);
    });

    it('queues many at once as it does one by one, each once, in its lane and in its pool', async () => {
      const since = Date.now();
      await under.queue.enqueue(b, { lane: 'patches', since });
      await under.queue.enqueueMany([]);
      await under.queue.enqueueMany([
        { id: a, place: { lane: 'patches', since } },
        { id: b, place: { lane: 'people', since } },
        { id: c, place: { lane: 'pushes', since } },
        { id: a, place: { lane: 'people', since } },
        { id: old, place: { pool: 'GPU' } },
      ]);
      const position = (id: RunId) => under.queue.position(id);
      expect(await Promise.all([c, b, a].map(position))).toEqual([1, 2, 3]);
      expect(await under.queue.position(old, 'gpu')).toBe(1);
      const many = Array.from({ length: 1200 }, (_, index) => ({ id: `ca${index + 100}` as RunId }));
      await under.queue.enqueueMany(many);
      expect(await Promise.all(many.map(({ id }) => position(id)))).toEqual(many.map((_, index) => index + 1));
      await consume();
      await takes('ca100');
    });

    it('puts a run off that is to be asked for later, and goes on with others at once', async () => {
      const now = Date.now();
      await under.queue.enqueue(a, { lane: 'people', since: now });
      await under.queue.enqueue(b, { lane: 'pushes', since: now });
      await under.queue.enqueue(c, { lane: 'timers', since: now });
      await consume();
      await takes('ca1');
      hands.taken[0]?.settle('later');
      await takes('ca1', 'ca2');
      expect(await under.queue.has(a)).toBe(true);
      await expect.poll(() => under.queue.position(c), { timeout: 5000 }).not.toBe(undefined);
      await new Promise((resolve) => setTimeout(resolve, 150));
      hands.taken[1]?.settle('done');
      await takes('ca1', 'ca2', 'ca1');
      hands.taken[2]?.settle('done');
      await takes('ca1', 'ca2', 'ca1', 'ca3');
    });

    it('wakes an idle worker for a run that was put off, and lets it be taken out meanwhile', async () => {
      await consume();
      await under.queue.enqueue(a);
      await takes('ca1');
      hands.taken[0]?.settle('later');
      await takes('ca1', 'ca1');
      hands.taken[1]?.settle('later');
      await expect.poll(() => under.queue.remove(a), { interval: 1 }).toBe(true);
      expect(await under.queue.has(a)).toBe(false);
    });

    it('puts a run of the last lane first when it is handed back', async () => {
      const consumer = await consume();
      await under.queue.enqueue(a, { lane: 'patches' });
      await takes('ca1');
      await under.queue.enqueue(b);
      await consumer.pause();
      hands.taken[0]?.settle('hand-back');
      await expect.poll(() => under.queue.position(a)).toBe(1);
      expect(await under.queue.position(b)).toBe(2);
      await consumer.resume();
      await takes('ca1', 'ca1');
    });

    it('reports a handler that rejects against its contract, and goes on', async () => {
      await consume();
      await under.queue.enqueue(a);
      await takes('ca1');
      hands.taken[0]?.fail(new Error('a bug'));
      await under.queue.enqueue(b);
      await takes('ca1', 'ca2');
      expect(hands.errors.map(({ message }) => message)).toEqual(['a bug']);
    });
  });
}
