/** Lets work begin when fewer than so many others are under way, in the order in which it came. */
export function createSlots(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((next) => waiting.push(next));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/**
 * Waits for all, also when one fails; rejects with the first failure then. Nothing goes on behind the back of whoever waits; `onFailure` is
 * told of the first one at once, to stop the others.
 */
export async function waitForAll(
  all: readonly Promise<unknown>[],
  onFailure: (error: unknown) => void = () => undefined,
): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  const note = (error: unknown): void => {
    if (failed !== undefined) return;
    failed = { error };
    onFailure(error);
  };
  await Promise.all(all.map((one) => one.catch(note)));
  // Set in a callback, which the compiler does not see.
  const first = failed as { readonly error: unknown } | undefined;
  if (first !== undefined) throw first.error;
}

/** What is done for each of a list, and who is told of the first failure. */
export interface EachWork<T> {
  readonly work: (one: T) => Promise<void>;
  readonly onFailure?: (error: unknown) => void;
}

/** Does something for each of a list, for so many at once; begins with no more after a failure. */
export async function forEachAtMost<T>(
  count: number,
  list: readonly T[],
  { work, onFailure }: EachWork<T>,
): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < list.length) {
      const one = list[next] as T;
      next += 1;
      try {
        await work(one);
      } catch (error) {
        next = list.length;
        throw error;
      }
    }
  };
  await waitForAll(Array.from({ length: count }, run), onFailure);
}
