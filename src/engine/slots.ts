import { fail } from '../domain/failure.ts';

/** Does `work` as soon as there is room for it; resolves and rejects with it. */
export type Slots = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Room for at most `limit` pieces of work at a time, first come, first served; without a limit everything starts at once.
 * Throws `invalid-request` for a limit below 1.
 */
export function createSlots(limit = Number.POSITIVE_INFINITY): Slots {
  if (!(limit >= 1)) throw fail('invalid-request', 'maxParallel must be at least 1', { field: 'maxParallel' });
  const waiting: (() => void)[] = [];
  let free = Math.floor(limit);
  const take = async (): Promise<void> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const giveBack = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return async (work) => {
    await take();
    try {
      return await work();
    } finally {
      giveBack();
    }
  };
}
