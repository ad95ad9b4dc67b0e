import type { Affected } from './affected.ts';

/** The wave of a task whose trigger names none. */
export const lastWave = 9;

/** What stands on what among tasks that are rebuilt together; without circles. */
export interface Order {
  /** Names in lower case, each after all that it needs. */
  readonly names: readonly string[];
  /** How many tasks, at most, must be rebuilt one after the other before this one. */
  readonly levels: ReadonlyMap<string, number>;
  /** By need: the tasks that need it. */
  readonly standing: ReadonlyMap<string, readonly string[]>;
}

/** By name: the tasks that need it. `needsOf` gives what a task needs. */
export function turnAround<T>(
  tasks: ReadonlyMap<string, T>,
  needsOf: (task: T) => Iterable<string>,
): ReadonlyMap<string, readonly string[]> {
  const standing = new Map<string, string[]>();
  for (const [name, task] of tasks) {
    for (const need of needsOf(task)) {
      const names = standing.get(need);
      if (names === undefined) standing.set(need, [name]);
      else names.push(name);
    }
  }
  return standing;
}

/** Puts tasks in topological order: by level, and by name within a level. */
export function findOrder(tasks: ReadonlyMap<string, Pick<Affected, 'needs'>>): Order {
  const standing = turnAround(tasks, ({ needs }) => needs.keys());
  const open = new Map([...tasks].map(([name, { needs }]) => [name, needs.size]));
  const names: string[] = [];
  const levels = new Map<string, number>();
  let level = [...open].flatMap(([name, count]) => (count === 0 ? [name] : []));
  for (let number = 0; level.length > 0; number += 1) {
    const next: string[] = [];
    for (const name of level.sort()) {
      names.push(name);
      levels.set(name, number);
      for (const one of standing.get(name) ?? []) {
        const count = (open.get(one) ?? 0) - 1;
        open.set(one, count);
        if (count === 0) next.push(one);
      }
    }
    level = next;
  }
  return { names, levels, standing };
}

/** The wave of each task: its own, or an earlier one when a task of that wave needs it. */
export function findWaves(
  tasks: ReadonlyMap<string, Affected>,
  { names, standing }: Order,
): ReadonlyMap<string, number> {
  const waves = new Map<string, number>();
  for (const name of [...names].reverse()) {
    let wave = tasks.get(name)?.task.record.trigger?.wave ?? lastWave;
    for (const one of standing.get(name) ?? []) wave = Math.min(wave, waves.get(one) ?? wave);
    waves.set(name, wave);
  }
  return waves;
}

/** How long it takes from a task's start until everything that stands on it is done, by name. `names` is in topological order. */
export function findRemaining(
  names: readonly string[],
  standing: ReadonlyMap<string, readonly string[]>,
  durationOf: (name: string) => number,
): ReadonlyMap<string, number> {
  const remaining = new Map<string, number>();
  for (const name of [...names].reverse()) {
    let longest = 0;
    for (const one of standing.get(name) ?? []) longest = Math.max(longest, remaining.get(one) ?? 0);
    remaining.set(name, longest + durationOf(name));
  }
  return remaining;
}
