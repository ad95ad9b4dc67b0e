import type { RegistryEvent } from '../domain/event.ts';
import type { RunId } from '../domain/run.ts';

/** Puts runs in front of workers. Rejects with `redis-unavailable` within 2 s when the queue cannot be reached. */
export interface RunQueue {
  /** Queues a run; a second call for a run that is still queued or being worked on has no effect. */
  enqueue(id: RunId): Promise<void>;
  /** Takes a run that no worker has begun out of the queue; true when it was there. */
  remove(id: RunId): Promise<boolean>;
  /** 1 for the next run to be taken, undefined when it is not waiting. */
  position(id: RunId): Promise<number | undefined>;
  /** True when the queue knows the run (waiting or being worked on). */
  has(id: RunId): Promise<boolean>;
  close(): Promise<void>;
}

/** What became of a run that was taken: worked off, or to be given to another worker. */
export type Taken = 'done' | 'hand-back';

export interface RunConsumerOptions {
  readonly concurrency: number;
  /** Works a run off. Must not reject; `signal` aborts when the queue has taken the run away from this worker (lost lock). */
  readonly handle: (id: RunId, signal: AbortSignal) => Promise<Taken>;
  readonly onError: (error: Error) => void;
}

export interface RunConsumer {
  /** Takes no more runs until `resume` (the engine is down); those being worked on go on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Takes no more runs and resolves when those being worked on have ended. */
  close(): Promise<void>;
}

/** The product's own push and delete events, on their way from the registry to the triggers. */
export interface RegistryEventQueue {
  /** Idempotent by `event.id`. */
  publish(event: RegistryEvent): Promise<void>;
  consume(
    handle: (event: RegistryEvent) => Promise<void>,
    onError: (error: Error) => void,
  ): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}
