import type { RunId } from '../../src/domain/run.ts';
import type { RunConsumer, RunConsumerOptions, RunQueue, Taken } from '../../src/queue/ports.ts';

/** A queue and a way to take from it. */
export interface QueueUnderTest {
  readonly queue: RunQueue;
  consume(options: RunConsumerOptions): Promise<RunConsumer>;
}

/** Handles runs one by one as the test says: each handed-out run waits until it is settled here. */
export function createHands() {
  const taken: { id: RunId; signal: AbortSignal; settle: (taken: Taken) => void; fail: (error: Error) => void }[] = [];
  const errors: Error[] = [];
  return {
    taken,
    errors,
    ids: () => taken.map(({ id }) => id as string),
    options: (concurrency = 1): RunConsumerOptions => ({
      concurrency,
      handle: (id, signal) =>
        new Promise((settle, fail) => {
          taken.push({ id, signal, settle, fail });
        }),
      onError: (error) => errors.push(error),
    }),
  };
}
