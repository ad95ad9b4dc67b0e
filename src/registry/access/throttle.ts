import { LRUCache } from 'lru-cache';
import type { Clock } from '../../domain/clock.ts';

/** Who tries to log in. */
export interface Attempt {
  readonly username: string;
  readonly address: string;
}

/**
 * Slows those down who try out passwords. A name from one address waits twice as long after each further failure. An address that
 * fails with many names, and a name that fails from many addresses, wait too, but never for long: others are there, or have the same
 * name. A name's wait is not for addresses from which its password was right before.
 */
export interface LoginThrottle {
  /** Milliseconds until a password is looked at again; 0: now. */
  waitMs(attempt: Attempt): number;
  failed(attempt: Attempt): void;
  succeeded(attempt: Attempt): void;
}

interface Rule {
  /** Failures that cost nothing. */
  readonly free: number;
  /** The longest wait, milliseconds. */
  readonly longestMs: number;
}

const rules = {
  pair: { free: 4, longestMs: 60_000 },
  address: { free: 20, longestMs: 10_000 },
  name: { free: 20, longestMs: 5000 },
} as const satisfies Record<string, Rule>;

const firstMs = 1000;
/** Failures are forgotten when none has come for so long. */
const forgetMs = 15 * 60_000;
const keptEntries = 20_000;

interface Entry {
  readonly count: number;
  readonly at: number;
  readonly until: number;
}

class Counter {
  readonly #entries = new LRUCache<string, Entry>({ max: keptEntries });
  readonly #rule: Rule;
  readonly #clock: Clock;

  constructor(rule: Rule, clock: Clock) {
    this.#rule = rule;
    this.#clock = clock;
  }

  #find(key: string): Entry | undefined {
    const found = this.#entries.get(key);
    return found !== undefined && this.#clock.now() - found.at < forgetMs ? found : undefined;
  }

  wait(key: string): number {
    return Math.max(0, (this.#find(key)?.until ?? 0) - this.#clock.now());
  }

  add(key: string): void {
    const at = this.#clock.now();
    const count = (this.#find(key)?.count ?? 0) + 1;
    const beyond = count - this.#rule.free;
    const waitMs = beyond <= 0 ? 0 : Math.min(this.#rule.longestMs, firstMs * 2 ** Math.min(beyond - 1, 20));
    this.#entries.set(key, { count, at, until: at + waitMs });
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}

/** Makes a throttle that remembers in memory, a bounded number of names and addresses. */
export function createLoginThrottle(clock: Clock): LoginThrottle {
  const pairs = new Counter(rules.pair, clock);
  const addresses = new Counter(rules.address, clock);
  const names = new Counter(rules.name, clock);
  const good = new LRUCache<string, true>({ max: keptEntries });
  const counted = new LRUCache<string, number>({ max: keptEntries });
  const pairOf = ({ username, address }: Attempt): string => JSON.stringify([username.slice(0, 256), address]);
  const isCounted = (pair: string): boolean => clock.now() - (counted.get(pair) ?? -forgetMs) < forgetMs;
  return {
    waitMs: (attempt) => {
      const pair = pairOf(attempt);
      const ofName = good.has(pair) ? 0 : names.wait(attempt.username.slice(0, 256));
      return Math.max(pairs.wait(pair), addresses.wait(attempt.address), ofName);
    },
    failed: (attempt) => {
      const pair = pairOf(attempt);
      // One program with one old password fails for ever: that must not count against all who share its address.
      if (!isCounted(pair)) {
        counted.set(pair, clock.now());
        addresses.add(attempt.address);
        names.add(attempt.username.slice(0, 256));
      }
      pairs.add(pair);
    },
    succeeded: (attempt) => {
      const pair = pairOf(attempt);
      pairs.forget(pair);
      good.set(pair, true);
    },
  };
}
