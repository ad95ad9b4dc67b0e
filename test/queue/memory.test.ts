import { createMemoryRegistryEvents } from '../../src/queue/memory/registry-events.ts';
import { createMemoryQueue } from '../../src/queue/memory/runs.ts';
import { describeRegistryEvents } from './registry-events-contract.ts';
import { describeRunQueue } from './run-queue-contract.ts';

describeRunQueue('the memory queue', async () => {
  const queue = createMemoryQueue({ laterMs: 50 });
  return { queue, consume: (options) => queue.consume(options) };
});

describeRegistryEvents('registry events in memory', async () =>
  createMemoryRegistryEvents({ attempts: 3, backoffMs: 2 }),
);
