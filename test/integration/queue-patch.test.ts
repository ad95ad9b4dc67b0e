import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBullPatchQueue } from '../../src/queue/bullmq/patch.ts';
import type { PatchJob } from '../../src/queue/ports.ts';
import { describePatchQueue, aTold, look } from '../queue/patch-contract.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.dispose());

const place = (url = redis.url) => ({ url, prefix: `test-${randomUUID()}` });

describePatchQueue('work of patching in BullMQ', () => createBullPatchQueue({ ...place(), backoffMs: 20 }));

describe('a process that dies at work of patching', () => {
  it('leaves it, and what was published meanwhile, to another one', async () => {
    const options = { ...place(), lockMs: 400 };
    const queue = await createBullPatchQueue(options);
    await queue.publish(look);
    const script = fileURLToPath(new URL('../queue/patch-taker.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    for (const job of [look, aTold('1'), look]) await queue.publish(job);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const seen: string[] = [];
    const consumer = await queue.consume(
      async ({ kind }) => void seen.push(kind),
      () => undefined,
    );
    await expect.poll(() => [...seen].sort(), { timeout: 10_000 }).toEqual(['look', 'look', 'told']);
    await consumer.close();
    await queue.close();
  });
});

describe('work of patching whose Redis is away', () => {
  it('is refused at once, kept, and goes on by itself', async () => {
    const own = await startRedis();
    const queue = await createBullPatchQueue({ ...place(own.url), backoffMs: 20 });
    await queue.publish(aTold('1'));
    await own.stop();
    const start = performance.now();
    const away = { failure: { reason: 'redis-unavailable' } };
    await expect(queue.publish(look)).rejects.toMatchObject(away);
    expect(performance.now() - start).toBeLessThan(500);
    await own.start();
    const seen: PatchJob[] = [];
    await expect.poll(() => queue.publish(look).then(() => 'back', String), { timeout: 10_000 }).toBe('back');
    const consumer = await queue.consume(
      async (job) => void seen.push(job),
      () => undefined,
    );
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual([aTold('1'), look]);
    await consumer.close();
    await queue.close();
    await own.dispose();
  });
});
