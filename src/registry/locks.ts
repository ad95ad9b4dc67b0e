/** Lets one caller at a time do something to one thing, in the order in which they came. */
export interface Locks {
  /** Runs `work` when every earlier holder of any of `keys` is done. Keys are taken in sorted order, so none can wait in a circle. */
  hold<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>;
}

export function createLocks(): Locks {
  const tails = new Map<string, Promise<void>>();

  const holdOne = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const before = tails.get(key);
    const mine = (before ?? Promise.resolve()).then(work);
    const tail = mine.then(
      () => undefined,
      () => undefined,
    );
    tails.set(key, tail);
    try {
      return await mine;
    } finally {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };

  const holdSorted = <T>(keys: readonly string[], work: () => Promise<T>): Promise<T> => {
    const [first, ...rest] = keys;
    return first === undefined ? work() : holdOne(first, () => holdSorted(rest, work));
  };

  return { hold: (keys, work) => holdSorted([...new Set(keys)].sort(), work) };
}
