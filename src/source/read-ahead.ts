/**
 * Works on up to `depth` items at once and gives the results in the order of the items. The first error ends it; work
 * that was begun is waited for, so that nothing runs on behind the caller's back.
 */
export async function* readAhead<Item, Result>(
  items: AsyncIterable<Item>,
  depth: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const begun: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // Its error is met when its turn comes; until then it must not count as unhandled.
      result.catch(() => undefined);
      begun.push(result);
      const first = begun.length >= depth ? begun.shift() : undefined;
      if (first !== undefined) yield await first;
    }
    for (let next = begun.shift(); next !== undefined; next = begun.shift()) yield await next;
  } finally {
    await Promise.allSettled(begun);
  }
}
