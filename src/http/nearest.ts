/** The number of letters to insert, remove or replace to come from one text to another (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/**
 * The name that was probably meant by `text`: the one that it is the beginning of, or else the closest of `names`, when no more than a
 * third of its letters differ.
 */
export function findNearest(text: string, names: readonly string[]): string | undefined {
  if (text.length > 64) return undefined;
  const begun = text.length < 3 ? [] : names.filter((name) => name.toLowerCase().startsWith(text.toLowerCase()));
  if (begun.length === 1) return begun[0];
  const scored = names.map((name) => ({ name, score: distance(text.toLowerCase(), name.toLowerCase()) }));
  const best = scored.sort((a, b) => a.score - b.score)[0];
  return best !== undefined && best.score <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined;
}
