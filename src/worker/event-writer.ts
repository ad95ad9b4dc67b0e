import type { RunEvent } from '../domain/event.ts';
import { toFailure } from '../domain/failure.ts';
import type { RunId } from '../domain/run.ts';
import type { RunStore } from '../store/ports.ts';

/** Where a run's events go while a worker does it. */
export interface EventWriter {
  /** Never waits, never throws; events arrive in the order of the calls. */
  emit(event: RunEvent): void;
  /** Resolves when everything emitted so far is in the store; rejects when it cannot get there any more (superseded). */
  drain(): Promise<void>;
}

export interface EventWriterOptions {
  readonly store: Pick<RunStore, 'append'>;
  readonly runId: RunId;
  readonly attempt: number;
  /** Called once when a later attempt owns the run, or it was ended from outside. */
  readonly onSuperseded: () => void;
  /** Milliseconds between tries while the store is away. */
  readonly retryMs: number;
}

const batchEvents = 1000;
/** While the store is away, output beyond this many waiting events is dropped, and the log says so. */
const maxWaiting = 100_000;

/** Adds an event to what waits for the store; output that would grow it beyond bounds is left out, with a mark in its place. */
function addBounded(waiting: RunEvent[], event: RunEvent): void {
  const isFull = waiting.length >= maxWaiting && event.kind === 'output';
  if (!isFull) waiting.push(event);
  if (waiting.length === maxWaiting) {
    waiting.push({
      kind: 'output',
      stream: 'system',
      text: 'output was left out here: the store could not be reached',
    });
  }
}

/**
 * Writes events in batches: the first goes at once, and what comes while it is under way makes the next batch. So an idle run's line is
 * written without delay, and a busy run's lines share their round trips. While the store is away it tries again until it is back.
 */
export function createEventWriter(options: EventWriterOptions): EventWriter {
  let waiting: RunEvent[] = [];
  let flushing: Promise<void> | undefined;
  let superseded: Error | undefined;

  const write = async (batch: readonly RunEvent[]): Promise<void> => {
    for (;;) {
      try {
        await options.store.append(options.runId, options.attempt, batch);
        return;
      } catch (error) {
        if (toFailure(error).reason !== 'redis-unavailable') throw error;
        await new Promise((resolve) => setTimeout(resolve, options.retryMs));
      }
    }
  };
  const flush = async (): Promise<void> => {
    try {
      while (waiting.length > 0 && superseded === undefined) {
        const batch = waiting.slice(0, batchEvents);
        waiting = waiting.slice(batchEvents);
        await write(batch);
      }
    } catch (error) {
      superseded = error instanceof Error ? error : new Error('the store refused an event');
      waiting = [];
      options.onSuperseded();
    } finally {
      flushing = undefined;
    }
  };
  return {
    emit(event) {
      if (superseded !== undefined) return;
      addBounded(waiting, event);
      flushing ??= flush();
    },
    async drain() {
      while (flushing) await flushing;
      if (superseded !== undefined) throw superseded;
    },
  };
}
