import type { BaseUpdate, ImageAtDigest } from '../domain/base-image.ts';
import type { ImageIdentity } from '../domain/dependencies.ts';
import type { RegistryEvent } from '../domain/event.ts';
import type { RunId } from '../domain/run.ts';
import type { Lane } from '../domain/run-cause.ts';
import type { TaskName, TimerTrigger } from '../domain/task.ts';

/** Where in the queue a run goes. */
export interface QueuePlace {
  /** The pool whose workers do it; `default` when not given. */
  readonly pool?: string | undefined;
  /** `people` when not given. Within a lane, and between lanes after a bounded time, the older one goes first. */
  readonly lane?: Lane | undefined;
  /** When the run was made, milliseconds since the epoch: its age counts from there. */
  readonly since?: number | undefined;
}

/** Puts runs in front of workers. Rejects with `redis-unavailable` within 2 s when the queue cannot be reached. */
export interface RunQueue {
  /** Queues a run; a second call for a run that is still queued or being worked on has no effect. */
  enqueue(id: RunId, place?: QueuePlace): Promise<void>;
  /** The same for many, in few round trips. */
  enqueueMany(runs: readonly { readonly id: RunId; readonly place?: QueuePlace }[]): Promise<void>;
  /** Takes a run that no worker has begun out of its pool's queue; true when it was there. */
  remove(id: RunId, pool?: string): Promise<boolean>;
  /** 1 for the next run of the pool to be taken, undefined when it is not waiting or was put off for a moment. */
  position(id: RunId, pool?: string): Promise<number | undefined>;
  /** True when the pool's queue knows the run (waiting, put off or being worked on). */
  has(id: RunId, pool?: string): Promise<boolean>;
  close(): Promise<void>;
}

/** What became of a run that was taken: worked off, to be given to another worker at once, or to be asked for again in a moment. */
export type Taken = 'done' | 'hand-back' | 'later';

export interface RunConsumerOptions {
  /** The pool whose runs are taken; `default` when not given. */
  readonly pool?: string;
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

/** Something happened to a run that others want to hear of. `attempt` is the run's then: 0 as long as no worker had it. */
export interface RunNotice {
  readonly runId: RunId;
  readonly kind: 'queued' | 'started' | 'ended';
  readonly attempt: number;
}

/** Who hears of runs; each on its own, so that one that cannot keep up or fails is no matter to the other. */
export const noticeListeners = ['commit-statuses', 'notifications', 'base-images'] as const;
export type NoticeListener = (typeof noticeListeners)[number];

/** The kinds of notice that a listener is told of; the others are not even queued for it. */
export const noticeKinds: Readonly<Record<NoticeListener, readonly RunNotice['kind'][]>> = {
  'commit-statuses': ['queued', 'started', 'ended'],
  notifications: ['queued', 'started', 'ended'],
  'base-images': ['ended'],
};

/** What a consumer of a queue can be asked for. */
export interface QueueConsumer {
  /** Takes nothing more and resolves when what it works on is done. */
  close(): Promise<void>;
}

/** What happens to runs, on its way to those who tell others of it. */
export interface RunNotices {
  /** Tells all listeners of its kind; idempotent by run, kind and attempt. Rejects with `redis-unavailable` within 2 s. */
  publish(notice: RunNotice): Promise<void>;
  /** The same for many, in few round trips; only for those `listeners` that are named. Some may have been told before a rejection. */
  publishMany(notices: readonly RunNotice[], listeners?: readonly NoticeListener[]): Promise<void>;
  /**
   * Hands out the notices for one listener, each at least once, in no certain order; again, with growing and jittered pauses, when
   * `handle` rejects. What never succeeds is kept among the failed for a week.
   */
  consume(
    listener: NoticeListener,
    handle: (notice: RunNotice) => Promise<void>,
    onError: (error: Error) => void,
  ): Promise<QueueConsumer>;
  close(): Promise<void>;
}

/** What a consumer of deliveries brings. */
export interface DeliveryConsumerOptions {
  /** Works one off; when it rejects, the delivery is handed out again after a growing, jittered pause. */
  readonly handle: (id: string) => Promise<void>;
  /** Told once of a delivery that is handed out no more: its last try failed, or it took its worker down too often. */
  readonly giveUp: (id: string, error: Error) => Promise<void>;
  readonly onError: (error: Error) => void;
}

/** Deliveries to webhooks, on their way to the trigger that works them off. Each is known by its id alone. */
export interface DeliveryQueue {
  /** Queues a delivery; no effect while it waits or is worked on. Rejects with `redis-unavailable` within 2 s. */
  enqueue(id: string): Promise<void>;
  /** Hands each out at least once, several at the same time, in no certain order. */
  consume(options: DeliveryConsumerOptions): Promise<QueueConsumer>;
  close(): Promise<void>;
}

/** One delivery that is to be made to a notification. */
export interface NotificationJob {
  readonly notification: string;
  readonly deliveryId: string;
  /** 0, or which repetition it is that people asked for. */
  readonly replay: number;
}

/** What became of a job: over with, or to be done again later (not before `afterMs`, when that is longer than the usual pause). */
export type NotificationDone = 'done' | { readonly because: string; readonly afterMs?: number };

/** Deliveries that are to be made, each by itself: one that fails waits alone. */
export interface NotificationQueue {
  /** Idempotent by the whole job while it is in the queue. Rejects with `redis-unavailable` within 2 s. */
  enqueue(job: NotificationJob): Promise<void>;
  /**
   * Hands out jobs, each until it is `done` or its tries are used up: with `isLastTry` it will not come again. A rejection of `handle`
   * counts as a try.
   */
  consume(
    handle: (job: NotificationJob, isLastTry: boolean) => Promise<NotificationDone>,
    onError: (error: Error) => void,
  ): Promise<QueueConsumer>;
  close(): Promise<void>;
}

const minute = 60_000;

/** The pauses before the tries after the first, in milliseconds: within a day, soon at first. Each is varied by a fifth. */
export const notificationPauses: readonly number[] = [
  5000,
  minute,
  5 * minute,
  30 * minute,
  120 * minute,
  240 * minute,
  360 * minute,
  600 * minute,
];

/** One time at which a timer goes off. */
export interface TimerOccurrence {
  readonly task: TaskName;
  readonly timer: TimerTrigger;
  /** The time itself, whenever it is worked off; ISO 8601 in UTC. */
  readonly at: string;
}

/** The timers of tasks. Every method rejects with `redis-unavailable` within 2 s when the queue cannot be reached. */
export interface TimerQueue {
  /**
   * Sets all timers of a task, in place of those it had; one that is as it was goes on where it was. What a timer missed since it was last
   * seen is made up for by one occurrence, the newest, unless its `catchUp` is false. Rejects with `invalid-request` for what is no schedule.
   */
  set(task: TaskName, timers: readonly TimerTrigger[]): Promise<void>;
  removeAll(task: TaskName): Promise<void>;
  /** The tasks that have timers set, in no order; lower case. */
  listTasks(): Promise<readonly string[]>;
  /**
   * Hands out occurrences, each at least once: again, with growing pauses, when `handle` rejects, and again after a consumer was lost.
   * Several consumers, in any processes, share them.
   */
  consume(
    handle: (occurrence: TimerOccurrence) => Promise<void>,
    onError: (error: Error) => void,
  ): Promise<QueueConsumer>;
  close(): Promise<void>;
}

/** A change of a base image that somebody told or found, before it was looked at: a reference (with a tag) and what it stands for now. */
export interface ToldUpdate {
  readonly image: ImageAtDigest;
  readonly source: BaseUpdate['source'];
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly by?: string;
}

/** A {@link ToldUpdate} as it was heard: who told it may not have said what the reference stands for now, which is then asked of its registry. */
export type HeardUpdate = Omit<ToldUpdate, 'image'> & { readonly image: ImageIdentity };

/** What the endpoint of a task's base-image trigger is told of (`updateTriggerEndpoint`). */
export interface EndpointNews {
  readonly task: TaskName;
  readonly campaign: string;
  /** 1 for the first run of this task in this campaign. */
  readonly try: number;
  readonly images: readonly ImageAtDigest[];
  /** ISO 8601, UTC. */
  readonly at: string;
}

/**
 * Work of base-image patching. `learn`: read what the task's images stand on. `told`: a base may have changed. `look`: see to the campaigns.
 * `tell`: tell an endpoint that a task is rebuilt.
 */
export type PatchJob =
  | { readonly kind: 'learn'; readonly task: TaskName; readonly taskVersion: number }
  | { readonly kind: 'told'; readonly update: HeardUpdate }
  | { readonly kind: 'look' }
  | { readonly kind: 'tell'; readonly news: EndpointNews };

/** Work of base-image patching, on its way to a trigger worker. */
export interface PatchQueue {
  /**
   * Idempotent by the whole job while it waits; what is published while it is worked on is handed out once more afterwards, since who
   * works on it may have looked too early. Rejects with `redis-unavailable` within 2 s.
   */
  publish(job: PatchJob): Promise<void>;
  /**
   * Hands each out at least once, again with growing pauses when `handle` rejects; `look` and what our registry or a poll has `told` one at a
   * time in each process, in the order they came; what others have told, `learn` and `tell` several at a time and no matter how long those
   * take.
   */
  consume(handle: (job: PatchJob) => Promise<void>, onError: (error: Error) => void): Promise<QueueConsumer>;
  close(): Promise<void>;
}
