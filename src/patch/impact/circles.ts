import type { Affected } from './affected.ts';
import { turnAround } from './order.ts';

type Tasks = ReadonlyMap<string, Affected>;

/** Names of tasks, in lower case, that stand on each other in a circle. */
type Circle = readonly string[];

function needsWithin(tasks: Tasks, name: string, within: ReadonlySet<string>): readonly string[] {
  return [...(tasks.get(name)?.needs.keys() ?? [])].filter((need) => within.has(need));
}

interface Frame {
  readonly name: string;
  readonly needs: readonly string[];
  next: number;
}

/** Tarjan's search for strongly connected components, with a stack of its own: a chain can be as long as there are tasks. */
class Search {
  readonly circles: Circle[] = [];
  readonly #tasks: Tasks;
  readonly #within: ReadonlySet<string>;
  readonly #order = new Map<string, number>();
  readonly #low = new Map<string, number>();
  readonly #open: string[] = [];
  readonly #isOpen = new Set<string>();

  constructor(tasks: Tasks, within: ReadonlySet<string>) {
    this.#tasks = tasks;
    this.#within = within;
    for (const name of within) if (!this.#order.has(name)) this.#searchFrom(name);
  }

  #searchFrom(start: string): void {
    const frames = [this.#enter(start)];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const need = frame.needs[frame.next++];
      if (need === undefined) {
        frames.pop();
        this.#leave(frame.name, frames.at(-1)?.name);
      } else if (!this.#order.has(need)) frames.push(this.#enter(need));
      else if (this.#isOpen.has(need)) this.#lower(frame.name, this.#order.get(need) ?? 0);
    }
  }

  #enter(name: string): Frame {
    this.#low.set(name, this.#order.size);
    this.#order.set(name, this.#order.size);
    this.#open.push(name);
    this.#isOpen.add(name);
    return { name, needs: needsWithin(this.#tasks, name, this.#within), next: 0 };
  }

  #lower(name: string, to: number): void {
    this.#low.set(name, Math.min(this.#low.get(name) ?? to, to));
  }

  #leave(name: string, parent: string | undefined): void {
    const low = this.#low.get(name) ?? 0;
    if (parent !== undefined) this.#lower(parent, low);
    if (low !== this.#order.get(name)) return;
    const circle = this.#open.splice(this.#open.lastIndexOf(name));
    for (const one of circle) this.#isOpen.delete(one);
    if (circle.length > 1) this.circles.push(circle.sort());
  }
}

/** The tasks that are in a circle or stand on one: all that is left when those whose needs are known are taken away again and again. */
function findLeft(tasks: Tasks): ReadonlySet<string> {
  const left = new Map([...tasks].map(([name, { needs }]) => [name, needs.size]));
  const standing = turnAround(tasks, ({ needs }) => needs.keys());
  const free = [...left].flatMap(([name, count]) => (count === 0 ? [name] : []));
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    left.delete(name);
    for (const one of standing.get(name) ?? []) {
      const count = (left.get(one) ?? 0) - 1;
      left.set(one, count);
      if (count === 0) free.push(one);
    }
  }
  return new Set(left.keys());
}

/** Lets a task begin before those of its circle: what they make for it is nothing that it waits for, or is rebuilt for. */
function cut(task: Affected, circle: ReadonlySet<string>): void {
  for (const need of [...task.needs.keys()].filter((name) => circle.has(name))) {
    const keys = task.needs.get(need) ?? [];
    task.needs.delete(need);
    const others = new Set([...task.needs.values()].flat());
    for (const key of keys) if (!others.has(key) && task.bases.get(key)?.isGiven !== true) task.bases.delete(key);
  }
}

/** Lets no task of a circle wait for what it only reads: then most are none. */
function dropReads(tasks: Tasks, circle: Circle): void {
  const within = new Set(circle);
  for (const name of circle) {
    const needs = tasks.get(name)?.needs;
    for (const [need, keys] of needs ?? []) if (keys.length === 0 && within.has(need)) needs?.delete(need);
  }
}

function openCircle(tasks: Tasks, circle: Circle): readonly Circle[] {
  const within = new Set(circle);
  const hasReason = (name: string): boolean => {
    const task = tasks.get(name);
    return (
      task !== undefined &&
      ([...task.bases.values()].some(({ isGiven }) => isGiven) ||
        [...task.needs].some(([need, keys]) => keys.length > 0 && !within.has(need)))
    );
  };
  const first = circle.find(hasReason) ?? circle[0];
  const task = first === undefined ? undefined : tasks.get(first);
  if (first === undefined || task === undefined) return [];
  cut(task, within);
  within.delete(first);
  return new Search(tasks, within).circles;
}

/**
 * Finds tasks that stand on each other in a circle, and cuts each circle open so that everything in it is built once: first comes the
 * first by name that has a reason outside of the circle. What is only read counts for no circle: it is not waited for there. Changes `needs`
 * and `bases` of `tasks`; gives the circles, sorted by name.
 */
export function openCircles(tasks: Tasks): readonly Circle[] {
  const left = findLeft(tasks);
  for (const circle of new Search(tasks, left).circles) dropReads(tasks, circle);
  const { circles } = new Search(tasks, left);
  const closed = [...circles];
  for (let circle = closed.pop(); circle !== undefined; circle = closed.pop())
    closed.push(...openCircle(tasks, circle));
  return circles.sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
}
