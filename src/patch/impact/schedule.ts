import { Heap } from './heap.ts';
import { findRemaining, type Order } from './order.ts';

/** What a task takes when nobody knows better: nothing of the same change was ever run. */
const assumedMs = 60_000;

/** When a task is likely to run, milliseconds from now. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** Tasks that are to be run, all by name in lower case. */
export interface Plan {
  readonly order: Order;
  /** How many tasks each needs. */
  readonly needs: ReadonlyMap<string, number>;
  readonly waves: ReadonlyMap<string, number>;
  /** The durations that are known, in milliseconds; a task that is not to be run takes 0. */
  readonly durations: ReadonlyMap<string, number>;
  /** Runs at a time, at least 1. */
  readonly concurrency: number;
}

/** The one in the middle, for tasks of which no duration is known. */
function middleOf(durations: Iterable<number>): number {
  const known = [...durations].filter((one) => one > 0).sort((a, b) => a - b);
  return known[known.length >> 1] ?? assumedMs;
}

/** Plays the runs through: of those that are ready, the one with the most work behind it goes first. */
class Play {
  readonly spans = new Map<string, Span>();
  readonly #plan: Plan;
  readonly #open: Map<string, number>;
  readonly #usual: number;
  readonly #remaining: ReadonlyMap<string, number>;
  readonly #ready = new Heap<string>();
  readonly #atWork = new Heap<string>();
  #now = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#open = new Map(plan.needs);
    this.#usual = middleOf(plan.durations.values());
    this.#remaining = findRemaining(plan.order.names, plan.order.standing, (name) => this.#durationOf(name));
  }

  runWave(wave: number, names: readonly string[]): void {
    for (const name of names) if (this.#open.get(name) === 0) this.#offer(name);
    while (this.#ready.size + this.#atWork.size > 0) {
      this.#begin();
      const ended = this.#atWork.pop();
      if (ended === undefined) return;
      this.#now = ended.value;
      this.#end(ended.item, wave);
    }
  }

  #durationOf(name: string): number {
    return this.#plan.durations.get(name) ?? this.#usual;
  }

  #offer(name: string): void {
    this.#ready.push(name, -(this.#remaining.get(name) ?? 0));
  }

  #begin(): void {
    while (this.#atWork.size < this.#plan.concurrency) {
      const name = this.#ready.pop()?.item;
      if (name === undefined) return;
      const endMs = this.#now + this.#durationOf(name);
      this.spans.set(name, { startMs: this.#now, endMs });
      this.#atWork.push(name, endMs);
    }
  }

  #end(name: string, wave: number): void {
    for (const one of this.#plan.order.standing.get(name) ?? []) {
      const count = (this.#open.get(one) ?? 0) - 1;
      this.#open.set(one, count);
      if (count === 0 && this.#plan.waves.get(one) === wave) this.#offer(one);
    }
  }
}

/** Works out about when each task will run: wave after wave, each task after what it needs. */
export function schedule(plan: Plan): ReadonlyMap<string, Span> {
  const byWave = new Map<number, string[]>();
  for (const name of plan.order.names) {
    const wave = plan.waves.get(name) ?? 0;
    const names = byWave.get(wave);
    if (names === undefined) byWave.set(wave, [name]);
    else names.push(name);
  }
  const play = new Play(plan);
  for (const [wave, names] of [...byWave].sort(([a], [b]) => a - b)) play.runWave(wave, names);
  return play.spans;
}
