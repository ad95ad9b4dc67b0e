import type { Clock } from '../domain/clock.ts';

/** A token and how long it is good. */
export interface Token {
  readonly text: string;
  /** Seconds from now; undefined: for ever. */
  readonly lifeSeconds: number | undefined;
}

/** Keeps tokens until they end. */
export interface TokenCache {
  /** The token for `key`: the one that is kept, or that of `make`, which is called once for all who ask meanwhile. */
  get(key: string, make: () => Promise<Token>): Promise<string>;
  /** Lets a token go that was refused; another one that was made meanwhile stays. */
  forget(key: string, text: string): void;
}

/** A token is not used any more in the last part of its life, so that it does not end on its way. */
const spareMs = 60_000;

interface Kept {
  readonly token: Promise<Token>;
  text?: string;
  until: number;
}

/** Makes an empty cache. A failure is not kept. */
export function createTokenCache(clock: Clock): TokenCache {
  const kept = new Map<string, Kept>();
  const start = (key: string, make: () => Promise<Token>): Kept => {
    const entry: Kept = { token: make(), until: Infinity };
    kept.set(key, entry);
    entry.token.then(
      ({ text, lifeSeconds = Infinity }) => {
        entry.text = text;
        const lifeMs = lifeSeconds * 1000;
        entry.until = clock.now() + Math.max(lifeMs - spareMs, lifeMs / 2);
      },
      () => {
        if (kept.get(key) === entry) kept.delete(key);
      },
    );
    return entry;
  };
  return {
    async get(key, make) {
      const found = kept.get(key);
      const entry = found !== undefined && found.until > clock.now() ? found : start(key, make);
      return (await entry.token).text;
    },
    forget: (key, text) => {
      if (kept.get(key)?.text === text) kept.delete(key);
    },
  };
}
