import { createBullPatchQueue, type BullPatchOptions } from '../../src/queue/bullmq/patch.ts';

/** A trigger worker for the tests to kill: takes work of patching, says so on its standard output, and never ends it. */
const queue = await createBullPatchQueue(JSON.parse(process.argv[2] ?? '{}') as BullPatchOptions);
await queue.consume(
  ({ kind }) => {
    process.stdout.write(`${kind}\n`);
    return new Promise(() => undefined);
  },
  () => undefined,
);
