type Row = readonly number[];

/** The cost of coming from the first `i` letters of `a` to the first `j` of `b`, given the rows and the cell before. */
function costOf(
  a: string,
  b: string,
  [i, j]: readonly [number, number],
  [before, row, left]: readonly [Row, Row, number],
): number {
  const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
  const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  const swap = isSwapped ? (before[j - 2] ?? 0) + 1 : replace;
  return Math.min(replace, swap, (row[j] ?? 0) + 1, left + 1);
}

/** The number of letters to insert, remove, replace or swap with their neighbour to come from one text to another. */
function distance(a: string, b: string): number {
  let before: Row = [];
  let row: Row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(costOf(a, b, [i, j], [before, row, next[j - 1] ?? 0]));
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The only one of `names` that `text` is the beginning of. */
function findBegun(text: string, names: readonly string[]): string | undefined {
  const [begun, ...more] = text.length < 3 ? [] : names.filter((name) => name.toLowerCase().startsWith(text));
  return more.length === 0 ? begun : undefined;
}

/** The name with the smallest distance to `text`, when no more than a third of its letters differ. */
function findClosest(text: string, names: readonly string[]): string | undefined {
  let best: { readonly name: string; readonly score: number } | undefined;
  for (const name of names) {
    if (Math.abs(name.length - text.length) > name.length / 3 + 1) continue;
    const score = distance(text, name.toLowerCase());
    if (best === undefined || score < best.score) best = { name, score };
  }
  if (best === undefined) return undefined;
  return best.score <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined;
}

/**
 * The name that was probably meant by `text`: the one that it is the beginning of, or else the closest of `names`, when no more than a
 * third of its letters differ. Case does not matter; undefined when `text` itself is the best, or nothing is near.
 */
export function findNearest(text: string, names: Iterable<string>): string | undefined {
  if (text.length > 64) return undefined;
  const all = [...names];
  const word = text.toLowerCase();
  const found = findBegun(word, all) ?? findClosest(word, all);
  return found === text ? undefined : found;
}

/** `did you mean "…"?` for {@link findNearest}, or undefined when nothing is near. */
export function suggest(text: string, names: Iterable<string>): string | undefined {
  const name = findNearest(text, names);
  return name === undefined ? undefined : `did you mean "${name}"?`;
}
