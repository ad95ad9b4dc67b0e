/**
 * The first `count` of many in the order of `compare`, sorted. Takes the time of sorting `count` again and again, not of sorting all.
 * @param compare never 0 for two different ones.
 */
export function firstOf<T>(all: Iterable<T>, count: number, compare: (a: T, b: T) => number): T[] {
  const most = Math.max(256, count * 2);
  let kept: T[] = [];
  let worst: T | undefined;
  for (const one of all) {
    if (worst !== undefined && compare(one, worst) > 0) continue;
    if (kept.push(one) < most) continue;
    kept = kept.sort(compare).slice(0, count);
    worst = kept.length === count ? kept.at(-1) : undefined;
  }
  return kept.sort(compare).slice(0, count);
}
