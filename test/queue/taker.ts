import { createBullConsumer, type BullConsumerOptions } from '../../src/queue/bullmq/run-consumer.ts';

/** A worker for the tests to kill: takes one run, says so on its standard output, and never ends it. */
await createBullConsumer({
  ...(JSON.parse(process.argv[2] ?? '{}') as BullConsumerOptions),
  concurrency: 1,
  handle: (id) => {
    process.stdout.write(`${id}\n`);
    return new Promise(() => undefined);
  },
  onError: () => undefined,
});
