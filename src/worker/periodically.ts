/** Work that is repeated until it is closed. */
export interface Periodic {
  /** Does a round now, unless one is under way; resolves when it has ended, also when it failed. */
  readonly now: () => Promise<void>;
  /** Starts no further round, and resolves when the one under way has ended. */
  close(): Promise<void>;
}

/** Does `work` at once and then every `ms`, never twice at the same time; what it throws goes to `onError`. */
export function periodically(ms: number, work: () => Promise<void>, onError: (error: unknown) => void): Periodic {
  let current: Promise<void> | undefined;
  const round = (): Promise<void> => {
    current ??= work()
      .catch(onError)
      .finally(() => {
        current = undefined;
      });
    return current;
  };
  void round();
  const timer = setInterval(() => void round(), ms);
  return {
    now: round,
    async close() {
      clearInterval(timer);
      await current;
    },
  };
}
