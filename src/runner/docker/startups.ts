import { pause } from './canceled.ts';

/** The containers of a run that are on their way up: what is in nobody's way waits for them. */
export interface Startups {
  /** Counts as one as long as the work goes on. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when none is on its way, and after two seconds in any case: pulling an image takes long. Rejects never. */
  over(): Promise<void>;
}

const longestMs = 2000;

/** Begins with none on its way. */
export function createStartups(): Startups {
  let count = 0;
  let waiting: AbortController[] = [];
  const leave = (): void => {
    count -= 1;
    if (count > 0) return;
    for (const one of waiting) one.abort();
    waiting = [];
  };
  return {
    during: async (work) => {
      count += 1;
      try {
        return await work();
      } finally {
        leave();
      }
    },
    over: async () => {
      if (count === 0) return;
      const calm = new AbortController();
      waiting.push(calm);
      await pause(longestMs, calm.signal);
    },
  };
}
