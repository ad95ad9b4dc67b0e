import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBullRunNotices } from '../../src/queue/bullmq/run-notices.ts';
import { aNotice, describeRunNotices } from '../queue/run-notices-contract.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.dispose());

describeRunNotices('notices of runs in BullMQ', () =>
  createBullRunNotices({ url: redis.url, prefix: `test-${randomUUID()}`, attempts: 3, backoffMs: 20 }),
);

it('refuses a notice at once while Redis is away', async () => {
  const own = await startRedis();
  const notices = await createBullRunNotices({ url: own.url, prefix: 'test' });
  await own.stop();
  const start = performance.now();
  const away = { failure: { reason: 'redis-unavailable' } };
  await expect(notices.publish(aNotice('ca1'))).rejects.toMatchObject(away);
  await expect(notices.publishMany([aNotice('ca1'), aNotice('ca2')])).rejects.toMatchObject(away);
  expect(performance.now() - start).toBeLessThan(500);
  await notices.close();
  await own.dispose();
});
