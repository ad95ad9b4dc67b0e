import { createBullTimers, type BullTimersOptions } from '../../src/queue/bullmq/timers.ts';

/** A trigger worker for the tests to kill: takes occurrences, says so on its standard output, and never ends them. */
const { now, ...options } = JSON.parse(process.argv[2] ?? '{}') as Omit<BullTimersOptions, 'clock'> & { now: number };
const timers = await createBullTimers({ ...options, clock: { now: () => now } });
await timers.consume(
  ({ at }) => {
    process.stdout.write(`${at}\n`);
    return new Promise(() => undefined);
  },
  () => undefined,
);
