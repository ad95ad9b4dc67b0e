import type { Digest } from '../../domain/digest.ts';
import { backoffMs, busyPauseMs, savingPauseMs, type Budget } from './budget.ts';
import type { Unanswered, AskedTag, AskedTags } from './foreign-registries.ts';
import type { Watched } from './watch-list.ts';

/** What is remembered of something that is watched. Times in milliseconds since the epoch. */
export interface PollState {
  readonly watched: Watched;
  /** When it is asked for next. */
  readonly nextAt: number;
  /** How often in a row its registry did not give it. */
  readonly failures: number;
  /** What it was known by when it was found last, and what it stood for. */
  readonly etag?: string;
  readonly digest?: Digest;
  /** The newest tag of a pattern that was told. */
  readonly newest?: string;
}

export interface TimetableOptions {
  /** Milliseconds between two questions of something in a registry; undefined: it is never asked. */
  readonly intervalOf: (registry: string) => number | undefined;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
}

type Answered = Exclude<AskedTag | AskedTags, Unanswered>;

/** What is new while we watch is looked at soon. */
const newWithinMs = 30_000;
/** What a registry refuses is asked for up to this many times more rarely. */
const mostRarely = 8;

/** What is remembered of a registry. */
interface RegistryState {
  readonly pausedUntil: number;
  /** How many pauses there were since it answered. */
  readonly pauses: number;
  /** What it could not give since it answered, by key. */
  readonly failing: ReadonlySet<string>;
}

const calm: RegistryState = { pausedUntil: 0, pauses: 0, failing: new Set() };
/** So many different things that fail mean that the registry does. */
const manyFailing = 3;

/** When what is asked of which registry: no more often than its interval, spread over it, and not while it wants to be left alone. */
export class Timetable {
  readonly #options: TimetableOptions;
  readonly #states = new Map<string, PollState>();
  readonly #registries = new Map<string, RegistryState>();
  #list: ReadonlyMap<string, Watched> = new Map();

  constructor(options: TimetableOptions) {
    this.#options = options;
  }

  /** Forgets when what was asked: another process may have asked meanwhile. */
  clear(): void {
    this.#states.clear();
    this.#list = new Map();
  }

  /** Takes in what is watched now. All of it at once is spread over the interval, a newcomer comes soon. */
  follow(list: ReadonlyMap<string, Watched>, now: number): void {
    if (list === this.#list) return;
    const isFirst = this.#states.size === 0;
    this.#list = list;
    for (const key of this.#states.keys()) if (!list.has(key)) this.#states.delete(key);
    for (const [key, watched] of list) {
      const interval = this.#options.intervalOf(watched.registry);
      if (interval === undefined) this.#states.delete(key);
      else
        this.#put(key, watched, now + this.#options.random() * (isFirst ? interval : Math.min(interval, newWithinMs)));
    }
  }

  #put(key: string, watched: Watched, nextAt: number): void {
    const before = this.#states.get(key);
    this.#states.set(key, before === undefined ? { watched, nextAt, failures: 0 } : { ...before, watched });
  }

  /** What is to be asked now, the longest overdue first, by registry; without registries that are left alone. */
  due(now: number): ReadonlyMap<string, readonly PollState[]> {
    const due = new Map<string, PollState[]>();
    for (const state of this.#states.values()) {
      const { registry } = state.watched;
      if (state.nextAt > now || this.isPaused(registry, now)) continue;
      const others = due.get(registry);
      if (others === undefined) due.set(registry, [state]);
      else others.push(state);
    }
    for (const states of due.values()) states.sort((a, b) => a.nextAt - b.nextAt);
    return due;
  }

  isPaused(registry: string, now: number): boolean {
    return (this.#registries.get(registry)?.pausedUntil ?? 0) > now;
  }

  /** The registry has answered something: `learned` is what is remembered of it. */
  answered({ watched }: PollState, { budget }: Answered, now: number, learned: Partial<PollState>): void {
    this.#save(watched, budget, now);
    this.#change(watched, { ...learned, failures: 0, nextAt: now + this.#vary(watched) });
  }

  /** The registry has not given it. True when that is news: the first time in a row. */
  unanswered({ watched, failures }: PollState, asked: Unanswered, now: number): boolean {
    const rarely = this.#vary(watched) * Math.min(2 ** (failures + 1), mostRarely);
    switch (asked.kind) {
      case 'busy':
        this.#change(watched, { nextAt: now });
        return this.#pause(watched, asked, now);
      case 'failed': {
        const nextAt = now + Math.min(backoffMs(failures + 1, this.#options.random()), rarely);
        this.#change(watched, { failures: failures + 1, nextAt });
        return this.#noteFailing(watched, asked, now) && failures === 0;
      }
      case 'absent':
      case 'refused':
        this.#save(watched, asked.budget, now);
        this.#change(watched, { failures: failures + 1, nextAt: now + rarely });
        return failures === 0;
    }
  }

  /** It could not be worked off for a reason of our own. */
  putOff({ watched }: PollState, now: number): void {
    this.#change(watched, { nextAt: now + newWithinMs });
  }

  /** The registry works, though there may be little left of its limit. A pause that another question has brought about goes on. */
  #save({ registry }: Watched, budget: Budget, now: number): void {
    if (this.isPaused(registry, now)) return;
    this.#registries.set(registry, { ...calm, pausedUntil: now + savingPauseMs(budget) });
  }

  /** One that always fails says nothing of its registry, several do. True as long as they are few. */
  #noteFailing(watched: Watched, asked: Unanswered, now: number): boolean {
    const before = this.#registries.get(watched.registry) ?? calm;
    const failing = new Set([...before.failing, watched.key]);
    this.#registries.set(watched.registry, { ...before, failing });
    if (failing.size >= manyFailing) this.#pause(watched, asked, now);
    return failing.size <= manyFailing;
  }

  /** The registry is asked for nothing until the pause is over. What was under way when it began makes it no longer than it asks for. */
  #pause({ registry }: Watched, asked: Unanswered, now: number): boolean {
    const before = this.#registries.get(registry) ?? calm;
    const isFurther = this.isPaused(registry, now);
    const pauses = before.pauses + (isFurther ? 0 : 1);
    const usual = backoffMs(pauses, this.#options.random());
    const asks = asked.kind === 'busy' ? asked.retryAfterMs : undefined;
    const pausedUntil = Math.max(now + busyPauseMs(asks, asked.budget, usual), before.pausedUntil);
    this.#registries.set(registry, { ...before, pauses, pausedUntil });
    return pauses === 1 && !isFurther;
  }

  #vary({ registry }: Watched): number {
    return (this.#options.intervalOf(registry) ?? 0) * (0.8 + 0.4 * this.#options.random());
  }

  #change({ key }: Watched, change: Partial<PollState>): void {
    const before = this.#states.get(key);
    if (before !== undefined) this.#states.set(key, { ...before, ...change });
  }
}
