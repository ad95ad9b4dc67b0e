import type { Clock } from '../../domain/clock.ts';
import type { RunId } from '../../domain/run.ts';
import { isFinal } from '../../domain/run.ts';
import { followEvents } from '../follow.ts';
import type { EventLog } from '../ports.ts';
import type { MemoryRun, MemoryState } from './state.ts';

/** The events of a memory store's runs: {@link EventLog} to the letter. */
export function createMemoryEvents(state: MemoryState, clock: Clock): EventLog {
  const entryOf = (id: RunId): MemoryRun | undefined => {
    const entry = state.runs.get(id);
    if (entry?.expiresAt !== undefined && entry.expiresAt <= clock.now()) entry.events = [];
    return entry;
  };
  const read = (id: RunId, after: number, limit: number) => {
    const events = entryOf(id)?.events ?? [];
    const first = events.at(0)?.seq ?? 1;
    const start = Math.max(0, after + 1 - first);
    return events.slice(start, start + limit);
  };
  return {
    read: async (id, after, limit) => read(id, after, limit),
    follow: (id, after, signal) =>
      followEvents(
        {
          async read(from, limit) {
            const run = entryOf(id)?.run;
            const isOver = !state.isOpen || !run || isFinal(run.status);
            return { events: read(id, from, limit), isOver };
          },
          async listen(wake) {
            const listeners = entryOf(id)?.listeners;
            listeners?.add(wake);
            return async () => {
              listeners?.delete(wake);
            };
          },
        },
        after,
        signal,
      ),
    async expire(id, keepSeconds) {
      const entry = state.runs.get(id);
      if (entry) entry.expiresAt = clock.now() + keepSeconds * 1000;
    },
  };
}
