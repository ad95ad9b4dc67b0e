import type { DeliveryConsumerOptions, DeliveryQueue } from '../ports.ts';

/** Deliveries in this process's memory, each tried `attempts` times with no pause between: for tests. */
export function createMemoryDeliveryQueue({ attempts = 3 } = {}): DeliveryQueue {
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  let consumer: DeliveryConsumerOptions | undefined;

  const work = async (id: string, { handle, giveUp, onError }: DeliveryConsumerOptions): Promise<void> => {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      try {
        await handle(id);
        return;
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        onError(error);
        if (attempt === attempts) await giveUp(id, error);
      }
    }
  };
  const start = (id: string, own: DeliveryConsumerOptions): void => {
    waiting.delete(id);
    const done = work(id, own).finally(() => running.delete(id));
    running.set(id, done);
  };
  return {
    async enqueue(id) {
      if (running.has(id)) return;
      if (consumer === undefined) waiting.add(id);
      else start(id, consumer);
    },
    async consume(options) {
      consumer = options;
      for (const id of [...waiting]) start(id, options);
      return {
        async close() {
          if (consumer === options) consumer = undefined;
          await Promise.all(running.values());
        },
      };
    },
    async close() {
      consumer = undefined;
      await Promise.all(running.values());
    },
  };
}
