import type { RunId } from '../domain/run.ts';

const prefix = 'ca';

/** The name of the n-th run (n = 1, 2, …): `ca1` … `caz`, `ca10` …; names grow in length, then in alphabet. */
export function runIdOf(number: number): RunId {
  return `${prefix}${number.toString(36)}` as RunId;
}

/** The place of a run among all, or undefined when the name is none that {@link runIdOf} gives. */
export function runNumberOf(id: string): number | undefined {
  return /^ca[1-9a-z][0-9a-z]{0,9}$/.test(id) ? parseInt(id.slice(prefix.length), 36) : undefined;
}
