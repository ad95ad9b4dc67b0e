/** One way of saving weight: what a later member takes over from an earlier one, by their places. */
interface Flow {
  readonly size: number;
  /** Left over of each member as the earlier one, and as the later one. */
  readonly early: Float64Array;
  readonly late: Float64Array;
  readonly moved: Float64Array;
}

type IsBefore = (one: number, other: number) => boolean;

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}

function movedOf({ moved, size }: Flow, one: number, other: number): number {
  return at(moved, one * size + other);
}

/** Lets a later member take over more from an earlier one, or less. */
function move({ moved, size }: Flow, one: number, other: number, amount: number): void {
  moved[one * size + other] = at(moved, one * size + other) + amount;
}

/** Counts what the two ends of a path have less. */
function use({ early, late }: Flow, one: number, other: number, amount: number): void {
  early[one] = at(early, one) - amount;
  late[other] = at(late, other) - amount;
}

/** Takes over whatever can be without giving anything back. */
function moveGreedily(flow: Flow, isBefore: IsBefore): void {
  for (let other = 0; other < flow.size; other += 1) {
    for (let one = 0; one < flow.size && at(flow.late, other) > 0; one += 1) {
      const amount = Math.min(at(flow.early, one), at(flow.late, other));
      if (amount === 0 || !isBefore(one, other)) continue;
      move(flow, one, other, amount);
      use(flow, one, other, amount);
    }
  }
}

/** Where a path came from: the earlier member of each later one, and the later one through which an earlier one was reached; -2: not yet. */
interface Search {
  readonly earlyOf: Int32Array;
  readonly lateOf: Int32Array;
}

/** The earlier members that could give back what `other` took over from them. */
function giversTo(other: number, flow: Flow, { lateOf }: Search): readonly number[] {
  return [...lateOf.keys()].filter((one) => lateOf[one] === -2 && movedOf(flow, one, other) > 0);
}

/** Looks breadth-first for a later member with something left that an earlier one with something left reaches; -1 when there is none. */
function findEnd(flow: Flow, isBefore: IsBefore, search: Search): number {
  const { earlyOf, lateOf } = search;
  const queue = [...flow.early.keys()].filter((one) => at(flow.early, one) > 0);
  for (const one of queue) lateOf[one] = -1;
  for (const one of queue) {
    for (let other = 0; other < flow.size; other += 1) {
      if (earlyOf[other] !== -2 || !isBefore(one, other)) continue;
      earlyOf[other] = one;
      if (at(flow.late, other) > 0) return other;
      const givers = giversTo(other, flow, search);
      for (const giver of givers) lateOf[giver] = other;
      queue.push(...givers);
    }
  }
  return -1;
}

/** The pairs of a found path, from its end to its beginning. */
function pathTo(end: number, { earlyOf, lateOf }: Search): readonly (readonly [one: number, other: number])[] {
  const pairs: [number, number][] = [];
  for (let other = end; other !== -1;) {
    const one = earlyOf[other] ?? -1;
    pairs.push([one, other]);
    other = lateOf[one] ?? -1;
  }
  return pairs;
}

function improve(flow: Flow, isBefore: IsBefore): boolean {
  const search = { earlyOf: new Int32Array(flow.size).fill(-2), lateOf: new Int32Array(flow.size).fill(-2) };
  const end = findEnd(flow, isBefore, search);
  if (end < 0) return false;
  const pairs = pathTo(end, search);
  const begin = pairs.at(-1)?.[0] ?? 0;
  // Between two pairs, the earlier member of one gives back what the later member of the next had of it.
  const back = pairs.slice(0, -1).map(([one], index) => [one, pairs[index + 1]?.[1] ?? 0] as const);
  const room = back.map(([one, other]) => movedOf(flow, one, other));
  const amount = Math.min(at(flow.late, end), at(flow.early, begin), ...room);
  for (const [one, other] of pairs) move(flow, one, other, amount);
  for (const [one, other] of back) move(flow, one, other, -amount);
  use(flow, begin, end, amount);
  return true;
}

/**
 * The greatest sum of weights (whole numbers, 0 or more) of members of which none is before another. `isBefore` must be a strict partial
 * order on their places. By Dilworth's theorem with weights: all weights together, less the most that later members can take over from
 * earlier ones, which is a greatest flow.
 */
export function heaviestApart(weights: readonly number[], isBefore: IsBefore): number {
  const size = weights.length;
  const early = Float64Array.from(weights);
  const flow: Flow = { size, early, late: Float64Array.from(weights), moved: new Float64Array(size * size) };
  moveGreedily(flow, isBefore);
  while (improve(flow, isBefore));
  return flow.late.reduce((sum, left) => sum + left, 0);
}
