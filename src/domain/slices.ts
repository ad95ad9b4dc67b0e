/** How many slices are at work at a time: one at each end, and one on its way. */
const atWork = 3;

/**
 * Does `work` on slices of `items`, of at most `size` each, and gives its results in their order. Each slice is begun in order, while those
 * before it are still at work: what one end prepares, the other end works on meanwhile. Rejects as the first slice that does; no other
 * is begun when its turn has come, and those that were have ended.
 */
export async function inSlices<T, R>(
  items: readonly T[],
  size: number,
  work: (slice: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const begun: Promise<readonly R[]>[] = [];
  const takeFirst = async (): Promise<void> => {
    for (const result of (await begun[0]) ?? []) results.push(result);
    void begun.shift();
  };
  try {
    for (let start = 0; start < items.length; start += size) {
      if (begun.length === atWork) await takeFirst();
      const slice = work(items.slice(start, start + size));
      // Its turn to be waited for comes later.
      slice.catch(() => undefined);
      begun.push(slice);
    }
    while (begun.length > 0) await takeFirst();
    return results;
  } finally {
    await Promise.allSettled(begun);
  }
}
