import type { RegistryEvent } from '../../domain/event.ts';
import type { RegistryEventQueue } from '../ports.ts';

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** How often, and after how many milliseconds (doubled each time), an event is handed out again when its handling failed. */
export interface RetryOptions {
  readonly attempts?: number;
  readonly backoffMs?: number;
}

interface EventConsumer {
  readonly handle: (event: RegistryEvent) => Promise<void>;
  readonly onError: (error: Error) => void;
}

/** Registry events in this process's memory. */
export function createMemoryRegistryEvents({ attempts = 8, backoffMs = 1000 }: RetryOptions = {}): RegistryEventQueue {
  const published = new Set<string>();
  const waiting: RegistryEvent[] = [];
  const delays = new Set<NodeJS.Timeout>();
  let consumer: EventConsumer | undefined;

  const deliver = async (event: RegistryEvent, attempt: number): Promise<void> => {
    const current = consumer;
    if (!current) {
      waiting.push(event);
      return;
    }
    try {
      await current.handle(event);
    } catch (error) {
      current.onError(asError(error));
      if (attempt >= attempts) return;
      const delay = setTimeout(
        () => {
          delays.delete(delay);
          void deliver(event, attempt + 1);
        },
        backoffMs * 2 ** (attempt - 1),
      );
      delays.add(delay);
    }
  };
  return {
    async publish(event) {
      if (published.has(event.id)) return;
      published.add(event.id);
      void Promise.resolve().then(() => deliver(event, 1));
    },
    async consume(handle, onError) {
      const own = { handle, onError };
      consumer = own;
      for (const event of waiting.splice(0)) void deliver(event, 1);
      return {
        async close() {
          if (consumer === own) consumer = undefined;
        },
      };
    },
    async close() {
      consumer = undefined;
      for (const delay of delays) clearTimeout(delay);
    },
  };
}
