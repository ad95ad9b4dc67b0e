interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Work that is done one after the other. */
export interface Line {
  /** Does one piece of work when all before it is done. Settles as it does. */
  alone<R>(work: () => Promise<R>): Promise<R>;
  /**
   * Makes a function for one item out of work on many: items that come while other work is done are worked on together. Each settles as
   * the work that it was part of.
   */
  together<T>(work: (items: readonly T[]) => Promise<void>): (item: T) => Promise<void>;
}

/** How many items are worked on together. */
const most = 1000;

export function createLine(): Line {
  let last: Promise<unknown> = Promise.resolve();
  const alone = <R>(work: () => Promise<R>): Promise<R> => {
    const done = last.then(work, work);
    last = done;
    return done;
  };
  const settle = async <T>(batch: readonly Waiting<T>[], work: (items: readonly T[]) => Promise<void>) => {
    try {
      await work(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  return {
    alone,
    together: (work) => {
      const waiting: Waiting<Parameters<typeof work>[0][number]>[] = [];
      const workOff = async (): Promise<void> => {
        if (waiting.length > 0) await settle(waiting.splice(0, most), work);
      };
      return (item) =>
        new Promise((resolve, reject) => {
          waiting.push({ item, resolve, reject });
          void alone(workOff);
        });
    },
  };
}
