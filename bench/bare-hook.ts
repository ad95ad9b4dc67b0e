/** The floor for deliveries: an Express handler that reads the body and does one BullMQ add. Prints its port. */
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import express from 'express';
import { Redis } from 'ioredis';
import { parseRedisUrl } from '../src/domain/redis-url.ts';

const connection = new Redis({ ...parseRedisUrl(process.argv[2] ?? ''), maxRetriesPerRequest: null });
const queue = new Queue('bare', { connection });
const app = express();
app.post('/', express.raw({ type: () => true }), async (_request, response) => {
  await queue.add('delivery', { id: randomUUID() }, { attempts: 3, removeOnComplete: true });
  response.status(202).json({});
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
