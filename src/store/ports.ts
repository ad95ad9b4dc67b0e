import type { RunEvent, SequencedEvent } from '../domain/event.ts';
import type { Run, RunId, RunStatus, RunType } from '../domain/run.ts';
import type { RunRequest } from '../domain/run-request.ts';

/** What a new run is made from. */
export interface NewRun {
  readonly runType: RunType;
  readonly request: RunRequest;
  readonly sealedSecrets?: string;
  /** Two calls with the same key within 24 h come to the same run. Scoped by the caller. */
  readonly idempotencyKey?: string;
}

/** One comparison of a list filter; several are joined by "and". Times compare as instants. */
export interface RunCondition {
  readonly field:
    'runId' | 'status' | 'runType' | 'createTime' | 'finishTime' | 'isArchiveEnabled' | 'outputImageManifests';
  readonly operator: 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le' | 'contains';
  readonly value: string;
}

export interface RunPage {
  /** Newest first. */
  readonly runs: readonly Run[];
  /** Hand it back as `after` for the next page; absent on the last one. */
  readonly next?: string;
}

/**
 * The runs. Every method rejects with a FailureError `redis-unavailable` at once (within 2 s) when the store cannot be reached.
 */
export interface RunStore {
  /**
   * Makes a Queued run with the next id and its first event (`run-queued`), in one atomic step.
   * `created` is false when the idempotency key had made `run` before.
   */
  create(run: NewRun): Promise<{ run: Run; created: boolean }>;
  get(id: RunId): Promise<Run | undefined>;
  list(query: { conditions: readonly RunCondition[]; limit: number; after?: string }): Promise<RunPage>;
  /**
   * A worker takes a run up: attempt + 1, status Started, event `run-started`. Undefined when the run is final or unknown,
   * or when a cancel was requested (it is then ended as Canceled in the same step).
   */
  begin(id: RunId, worker: string): Promise<Run | undefined>;
  /**
   * Appends events in order and applies them to the record (domain/run-state.ts) in one atomic step. Rejects with `conflict` when
   * `attempt` is not the run's latest, was released, or the run is final: the caller must then stop at once. What follows a `run-ended`
   * in `events` is left out. After `redis-unavailable` it is not known whether the events were written: call again with the same array,
   * and they are in the stream once. Output beyond what is kept of a run (output-limit.ts) is dropped.
   */
  append(id: RunId, attempt: number, events: readonly RunEvent[]): Promise<void>;
  /** Gives a started run back to the queue (Queued again, attempt kept); refused like `append`. */
  release(id: RunId, attempt: number): Promise<void>;
  /**
   * A Queued run becomes Canceled at once; a running one is marked, and whoever listens by `onCancel` is told. No effect on a final run.
   * Undefined: no such run.
   */
  requestCancel(id: RunId, by: string): Promise<Run | undefined>;
  /** Ends a run whatever its attempt, for the sweeper: a worker that does not answer a cancel or is lost. No effect on a final run. */
  end(id: RunId, status: Extract<RunStatus, 'Canceled' | 'Error'>, message: string): Promise<void>;
  setArchived(id: RunId, isArchiveEnabled: boolean): Promise<Run | undefined>;
  /** Runs that are not final, oldest first. */
  listActive(): Promise<readonly Run[]>;
  /** Final runs whose live events were not let go yet (`EventLog.expire`), oldest first, at most 1000: the sweeper archives them. */
  listUnarchived(): Promise<readonly RunId[]>;
  /** Calls `listener` for each cancel request in any process, until the returned function is called. */
  onCancel(listener: (id: RunId) => void): Promise<() => Promise<void>>;
}

/** A run's events, live and afterwards. */
export interface EventLog {
  /** Events with `seq` greater than `after`, in order, at most `limit`. Empty for an unknown run. */
  read(id: RunId, after: number, limit: number): Promise<readonly SequencedEvent[]>;
  /**
   * The same, then each new one as it comes, until `run-ended` was given or `signal` aborts. A reader that joins late sees every event
   * once, in order. Ends at once when the run is unknown or its live copy is gone, and when the store is closed. Rejects with
   * `redis-unavailable` when the store is away at the first read; later it waits and goes on when the store is back.
   */
  follow(id: RunId, after: number, signal: AbortSignal): AsyncIterable<SequencedEvent>;
  /** Drops the live copy `keepSeconds` from now; called when the archive has it. */
  expire(id: RunId, keepSeconds: number): Promise<void>;
}

/** What a worker says of itself every few seconds. */
export interface WorkerBeat {
  readonly name: string;
  readonly pool: string;
  readonly concurrency: number;
  readonly running: readonly RunId[];
  readonly engine: { readonly ok: true; readonly version: string } | { readonly ok: false; readonly reason: string };
  readonly startTime: string;
}

/** How long a worker is taken to live after a beat. */
export const beatLifeMs = 15_000;

export interface WorkerDirectory {
  /** Says that the worker lives; forgotten after 15 s without another beat. */
  beat(worker: WorkerBeat): Promise<void>;
  leave(name: string): Promise<void>;
  list(): Promise<readonly WorkerBeat[]>;
}

/** Things that may be used once: signed upload URLs. */
export interface OnceLedger {
  /** True for the first caller of `key` within `ttlSeconds`, false for all others. */
  claim(key: string, ttlSeconds: number): Promise<boolean>;
  /** Makes a claimed key usable again (the work behind it failed before it had an effect). */
  release(key: string): Promise<void>;
}

export interface Store {
  readonly runs: RunStore;
  readonly events: EventLog;
  readonly workers: WorkerDirectory;
  readonly once: OnceLedger;
  /** Resolves when the store answers, rejects `redis-unavailable` otherwise, within 1 s. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
