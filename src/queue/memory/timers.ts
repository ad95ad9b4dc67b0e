import type { Clock } from '../../domain/clock.ts';
import type { TaskName, TimerTrigger } from '../../domain/task.ts';
import { definitionOf, missedOccurrence } from '../occurrences.ts';
import type { TimerOccurrence, TimerQueue } from '../ports.ts';

/** Timers in this process's memory. */
export interface MemoryTimers extends TimerQueue {
  /** Hands out what has become due by the clock since the last look, the newest occurrence of each timer; resolves when it is handled. */
  look(): Promise<void>;
}

interface Entry {
  readonly task: TaskName;
  readonly timer: TimerTrigger;
  seen: number;
}

/** Timers for tests, which look at them when they want. What fails is handed out again at the next look. */
export function createMemoryTimers({ clock }: { readonly clock: Clock }): MemoryTimers {
  const tasks = new Map<string, Map<string, Entry>>();
  let consumer: { handle: (occurrence: TimerOccurrence) => Promise<void>; onError: (error: Error) => void } | undefined;

  const ring = async (entry: Entry): Promise<void> => {
    const due = missedOccurrence(entry.timer, entry.seen, clock.now());
    if (due === undefined || consumer === undefined) return;
    try {
      await consumer.handle({ task: entry.task, timer: entry.timer, at: new Date(due).toISOString() });
      entry.seen = due;
    } catch (error) {
      consumer.onError(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const set = async (task: TaskName, timers: readonly TimerTrigger[]): Promise<void> => {
    const known = tasks.get(task.toLowerCase());
    const entries = timers.map((timer): [string, Entry] => {
      const old = known?.get(timer.name);
      const isSame = old !== undefined && definitionOf(old.timer) === definitionOf(timer);
      return [timer.name, { task, timer, seen: isSame ? old.seen : clock.now() }];
    });
    if (entries.length === 0) tasks.delete(task.toLowerCase());
    else tasks.set(task.toLowerCase(), new Map(entries));
  };
  return {
    set,
    removeAll: (task) => set(task, []),
    listTasks: async () => [...tasks.keys()],
    async look() {
      for (const entries of tasks.values()) for (const entry of entries.values()) await ring(entry);
    },
    async consume(handle, onError) {
      const own = { handle, onError };
      consumer = own;
      return {
        async close() {
          if (consumer === own) consumer = undefined;
        },
      };
    },
    async close() {
      tasks.clear();
    },
  };
}
