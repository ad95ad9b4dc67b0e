import type { SequencedEvent } from '../../domain/event.ts';
import type { Run, RunId } from '../../domain/run.ts';

/** One run as the memory store holds it. */
export interface MemoryRun {
  run: Run;
  events: SequencedEvent[];
  /** Number of the last event; it stays when the events are let go. */
  lastSeq: number;
  output: { events: number; bytes: number; isCut: boolean };
  /** Milliseconds since the epoch at which the events are let go; set once they are archived. */
  expiresAt?: number;
  /** Told of each new event. */
  readonly listeners: Set<() => void>;
}

/** Everything a memory store holds. */
export interface MemoryState {
  /** In the order of creation, which is the order of their names. */
  readonly runs: Map<RunId, MemoryRun>;
  /** The number of the run that was made last. */
  lastRun: number;
  /** Idempotency keys, each with its run and the time at which it is forgotten. */
  readonly keys: Map<string, { readonly id: RunId; readonly until: number }>;
  /** Sealed plans of runs at work. */
  readonly plans: Map<RunId, string>;
  /** The runs that have places at work, by the keys of their tasks. */
  readonly places: Map<string, Set<RunId>>;
  readonly cancelListeners: Set<(id: RunId) => void>;
  /** Names the n-th run, n = 1, 2, … */
  readonly nameRun: (number: number) => RunId;
  isOpen: boolean;
}
