import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import { createBullQueue } from '../../src/queue/bullmq/run-queue.ts';
import { createBullConsumer, type BullConsumerOptions } from '../../src/queue/bullmq/run-consumer.ts';
import { createBullRegistryEvents } from '../../src/queue/bullmq/registry-events.ts';
import { anEvent, describeRegistryEvents } from '../queue/registry-events-contract.ts';
import { createHands } from '../queue/hands.ts';
import { describeRunQueue } from '../queue/run-queue-contract.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.dispose());

const away = { failure: { reason: 'redis-unavailable' } };
const run = 'ca1' as RunId;
const place = (url = redis.url) => ({ url, prefix: `test-${randomUUID()}` });
const quick = { lockMs: 400, stalledCheckMs: 100, handBackRestMs: 50 } satisfies Partial<BullConsumerOptions>;

describeRunQueue('the BullMQ queue', async () => {
  const options = place();
  return {
    queue: await createBullQueue(options),
    consume: (consumer) => createBullConsumer({ ...options, ...consumer, handBackRestMs: 50, laterMs: 50 }),
  };
});

describeRegistryEvents('registry events in BullMQ', () =>
  createBullRegistryEvents({ ...place(), attempts: 3, backoffMs: 20 }),
);

describe('a worker that dies', () => {
  it('loses its run to another one, which gets it although the first never said so', async () => {
    const options = place();
    const queue = await createBullQueue(options);
    await queue.enqueue(run);
    const script = fileURLToPath(new URL('../queue/taker.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify({ ...options, ...quick })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await queue.has(run)).toBe(true);
    const hands = createHands();
    const consumer = await createBullConsumer({ ...options, ...quick, ...hands.options() });
    await expect.poll(() => hands.ids(), { timeout: 5000 }).toEqual([run]);
    hands.taken[0]?.settle('done');
    await expect.poll(() => queue.has(run)).toBe(false);
    await consumer.close();
    await queue.close();
  });

  it('but lives is told by the signal once its run is another’s', async () => {
    const options = place();
    const queue = await createBullQueue(options);
    const slow = createHands();
    const first = await createBullConsumer({ ...options, ...quick, lockMs: 1000, ...slow.options() });
    await queue.enqueue(run);
    await expect.poll(() => slow.ids()).toEqual([run]);
    const { Redis } = await import('ioredis');
    const client = new Redis(redis.url.replace('unix://', ''));
    const [lock] = await client.keys(`${options.prefix}*:lock`);
    await client.del(lock!);
    client.disconnect();
    await expect.poll(() => slow.taken[0]?.signal.aborted, { timeout: 5000 }).toBe(true);
    slow.taken[0]?.settle('done');
    await expect.poll(() => slow.ids().length, { timeout: 5000 }).toBe(2);
    expect(await queue.has(run)).toBe(true);
    slow.taken[1]?.settle('done');
    await expect.poll(() => queue.has(run)).toBe(false);
    await first.close();
    await queue.close();
  });
});

describe('a queue whose Redis is away', () => {
  it('rejects at once, keeps what is queued, and goes on by itself', async () => {
    const own = await startRedis();
    const options = place(own.url);
    const queue = await createBullQueue(options);
    const events = await createBullRegistryEvents(options);
    const hands = createHands();
    const consumer = await createBullConsumer({ ...options, ...quick, lockMs: 30_000, ...hands.options(2) });
    await queue.enqueue(run);
    await expect.poll(() => hands.ids()).toEqual([run]);
    await own.stop();
    const start = performance.now();
    await expect(queue.enqueue('ca2' as RunId)).rejects.toMatchObject(away);
    await expect(queue.enqueueMany([{ id: 'ca2' as RunId }])).rejects.toMatchObject(away);
    await expect(queue.remove(run)).rejects.toMatchObject(away);
    await expect(queue.position(run)).rejects.toMatchObject(away);
    await expect(queue.has(run)).rejects.toMatchObject(away);
    await expect(events.publish(anEvent('1'))).rejects.toMatchObject(away);
    expect(performance.now() - start).toBeLessThan(500);
    hands.taken[0]?.settle('hand-back');
    await own.start();
    await expect.poll(() => hands.ids(), { timeout: 15_000 }).toEqual([run, run]);
    hands.taken[1]?.settle('done');
    await expect.poll(() => queue.has(run).catch(() => true), { timeout: 5000 }).toBe(false);
    await queue.enqueue('ca2' as RunId);
    await expect.poll(() => hands.ids().at(-1), { timeout: 10_000 }).toBe('ca2');
    hands.taken[2]?.settle('done');
    await consumer.close();
    await queue.close();
    await events.close();
    await own.dispose();
  });

  it('rejects within two seconds when it stands still', async () => {
    const own = await startRedis();
    const queue = await createBullQueue(place(own.url));
    const thaw = own.freeze();
    const start = performance.now();
    await expect(queue.enqueue(run)).rejects.toMatchObject(away);
    expect(performance.now() - start).toBeLessThan(2000);
    thaw();
    await expect.poll(() => queue.enqueue(run).then(() => 'back', String), { timeout: 10_000 }).toBe('back');
    await queue.close();
    await own.dispose();
  });

  it('does not keep a worker from closing', async () => {
    const own = await startRedis();
    const options = place(own.url);
    const queue = await createBullQueue(options);
    const hands = createHands();
    const consumer = await createBullConsumer({ ...options, ...hands.options() });
    await queue.enqueue(run);
    await expect.poll(() => hands.ids()).toEqual([run]);
    await own.stop();
    const start = performance.now();
    const closing = consumer.close();
    hands.taken[0]?.settle('hand-back');
    await closing;
    expect(performance.now() - start).toBeLessThan(4000);
    await queue.close();
    await own.dispose();
  });

  it('makes the start fail', async () => {
    const options = { url: 'unix:///nonexistent/redis.sock', prefix: 'x', startTimeoutMs: 100 };
    await expect(createBullQueue(options)).rejects.toMatchObject(away);
    await expect(createBullConsumer({ ...options, ...createHands().options() })).rejects.toMatchObject(away);
    await expect(createBullRegistryEvents(options)).rejects.toMatchObject(away);
  });
});

describe('speed', () => {
  it('brings a run from the producer to an idle worker within milliseconds', async () => {
    const options = place();
    const queue = await createBullQueue(options);
    const taken = new Map<RunId, number>();
    const consumer = await createBullConsumer({
      ...options,
      concurrency: 2,
      handle: async (id) => {
        taken.set(id, performance.now());
        return 'done';
      },
      onError: () => undefined,
    });
    const delays: number[] = [];
    for (let count = 1; count <= 50; count++) {
      const id = `ca${count}` as RunId;
      const start = performance.now();
      await queue.enqueue(id);
      await expect.poll(() => taken.has(id), { interval: 1 }).toBe(true);
      delays.push((taken.get(id) ?? Infinity) - start);
    }
    const median = delays.sort((x, y) => x - y)[25] ?? Infinity;
    expect(median).toBeLessThan(50);
    process.stderr.write(`enqueue → handler ${median.toFixed(2)} ms\n`);
    await consumer.close();
    await queue.close();
  });
});
