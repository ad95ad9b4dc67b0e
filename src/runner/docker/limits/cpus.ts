/** Keeps the containers of a run that are up within the processors that the run may use together. */
export interface CpuSharing {
  /** Starts a container (`start`) once the others have made room for it. Rejects as `start` does, and with `engine-unavailable`. */
  starting<T>(id: string, nanoCpus: number | undefined, start: () => Promise<T>): Promise<T>;
  /** A container has ended, or may have: those that are up share what it leaves. Nobody waits for it. */
  ended(): void;
}

/** For a run that may use all processors: nothing is ever asked of the engine. */
export const freeCpus: CpuSharing = { starting: (_id, _nanoCpus, start) => start(), ended: () => undefined };
