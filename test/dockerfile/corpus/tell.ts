import type { CorpusCase } from './case.ts';

/** A case as a table has it: name, text, and what is special. */
type Row = readonly [name: string, text: string, more?: Omit<CorpusCase, 'name' | 'text'>];

/** Makes cases of a table; the group's name comes in front of theirs. */
export function cases(group: string, rows: readonly Row[]): readonly CorpusCase[] {
  return rows.map(([name, text, more]) => ({ name: `${group}: ${name}`, text, ...more }));
}
