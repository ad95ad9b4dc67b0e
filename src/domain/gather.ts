interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

async function settle<T, R>(
  batch: readonly Waiting<T, R>[],
  work: (items: readonly T[]) => Promise<readonly R[]>,
): Promise<void> {
  try {
    const results = await work(batch.map(({ item }) => item));
    for (const [at, { resolve }] of batch.entries()) resolve(results[at] as R);
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

/**
 * Makes a function for one item out of `work`, which does many at once and gives a result for each, in their order: calls that are made
 * in the same turn of the event loop share one call of `work`, of at most `most` items. Nothing waits longer than that turn, so a single
 * call costs no time. When `work` rejects, so do all calls that shared it.
 */
export function gather<T, R>(
  work: (items: readonly T[]) => Promise<readonly R[]>,
  most: number,
): (item: T) => Promise<R> {
  let waiting: Waiting<T, R>[] = [];
  const flush = (): void => {
    const all = waiting;
    waiting = [];
    for (let at = 0; at < all.length; at += most) void settle(all.slice(at, at + most), work);
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (waiting.length === 1) setImmediate(flush);
    });
}
