import type { RunEvent, SequencedEvent } from '../domain/event.ts';
import type { Notification, OutgoingDelivery } from '../domain/notification.ts';
import type { Run, RunId, RunStatus, RunType } from '../domain/run.ts';
import type { RunCause } from '../domain/run-cause.ts';
import type { RunRequest } from '../domain/run-request.ts';
import type { Task, TaskName } from '../domain/task.ts';
import type { BaseImageStore, CampaignStore } from './patch-ports.ts';

export type { BaseImageStore, CampaignStore } from './patch-ports.ts';

/** What a new run is made from. */
export interface NewRun {
  readonly runType: RunType;
  readonly request: RunRequest;
  readonly task?: TaskName;
  readonly cause?: RunCause;
  readonly pool?: string;
  readonly maxConcurrent?: number;
  readonly sealedSecrets?: string;
  /** Two calls with the same key within 24 h come to the same run. Scoped by the caller. */
  readonly idempotencyKey?: string;
}

/** One comparison of a list filter; several are joined by "and". Times compare as instants. */
export interface RunCondition {
  readonly field:
    | 'runId'
    | 'taskName'
    | 'agentPoolName'
    | 'status'
    | 'runType'
    | 'createTime'
    | 'finishTime'
    | 'isArchiveEnabled'
    | 'outputImageManifests';
  readonly operator: 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le' | 'contains';
  readonly value: string;
}

export interface RunPage {
  /** Newest first. Fewer than were asked for, even none, where finding more would take long: then `next` goes on. */
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
  /** The same for many, in order and each for itself, in few round trips: what was made before a rejection stays made. */
  createMany(runs: readonly NewRun[]): Promise<readonly { run: Run; created: boolean }[]>;
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
  /**
   * Keeps a run's plan (sealed: it is opaque here) in place of an earlier one, for `seconds` at least; when that is not given, for as long as a run may
   * last.
   */
  keepPlan(id: RunId, sealed: string, seconds?: number): Promise<void>;
  /** The plan that was kept last; undefined when none was, or when it is too old. */
  findPlan(id: RunId): Promise<string | undefined>;
  /**
   * Takes one of the `limit` places that a task's runs have at work, for as long as the run is not final; true when it has one afterwards
   * (also when it had one before). Places of runs that are over or unknown are free.
   */
  takePlace(id: RunId, task: TaskName, limit: number): Promise<boolean>;
  /**
   * Forgets final runs that were created before `before` (ISO 8601) and are not archived (`isArchiveEnabled`), with their events; at most
   * `limit`, oldest first. Resolves with their names, so that what is kept of them elsewhere can go too.
   */
  removeOld(before: string, limit: number): Promise<readonly RunId[]>;
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

/** What may be shown of a secret. */
export interface SecretEntry {
  readonly name: string;
  /** ISO 8601. */
  readonly lastUpdatedTime: string;
  /** The caller who set its value. */
  readonly updatedBy: string;
}

/** How many secrets a store keeps, and how many credentials for registries. */
export const maxSecrets = 1000;

/** The installation's own secrets by name. Values are sealed: they are opaque here. */
export interface SecretStore {
  /** Sets a secret, in place of an earlier value. Rejects with `conflict` when it would be one more than {@link maxSecrets}. */
  put(name: string, sealed: string, who: string): Promise<SecretEntry>;
  /** The sealed value; undefined: no such secret. */
  get(name: string): Promise<string | undefined>;
  /** All of them by name, without values. */
  list(): Promise<readonly SecretEntry[]>;
  /** False when there was none of that name. */
  delete(name: string): Promise<boolean>;
}

export interface TaskPage {
  /** By name, ignoring letter case. */
  readonly tasks: readonly Task[];
  /** Hand it back as `after` for the next page; absent on the last one. */
  readonly next?: string;
}

/** The tasks. Names are told apart ignoring letter case; the case of the first writer stays. */
export interface TaskStore {
  /** Undefined: no such task. */
  get(name: string): Promise<Task | undefined>;
  /** The same for many, in the order asked for, in few round trips. */
  getMany(names: readonly string[]): Promise<readonly (Task | undefined)[]>;
  list(query: { readonly limit: number; readonly after?: string }): Promise<TaskPage>;
  /** All tasks with a source trigger for this repository key (see `repositoryKeys` of what was put), or with any timer, in no order. */
  findByRepository(key: string): Promise<readonly Task[]>;
  listWithTimers(): Promise<readonly Task[]>;
  /**
   * Writes a task whole. `expected` is the version that the writer has seen: 0 for a new one. Rejects with `conflict` when the stored one
   * is another. The version written is `expected` + 1, whatever `task.version` says. `repositoryKeys` are what `findByRepository` finds it by.
   */
  put(task: Task, expected: number, repositoryKeys: readonly string[]): Promise<Task>;
  /** True when it was there. Its runs stay. */
  delete(name: string): Promise<boolean>;
}

/** What one delivery to a webhook came to, for one task. */
export interface DeliveryVerdict {
  readonly task: TaskName;
  /** The run that it started; absent: `because` says why there is none. */
  readonly runId?: RunId;
  readonly because?: string;
}

/** One delivery to a webhook, as it is kept for people to look at and to deliver again. */
export interface Delivery {
  /** Ours, unique; derived from the forge's id where it gives one, so that a redelivery finds it. */
  readonly id: string;
  readonly receivedTime: string;
  /** The task whose webhook it came to; absent: the shared one. */
  readonly hook?: TaskName;
  readonly provider: string;
  /** The forge's word for what happened; `ref`, `commit` and `repository` as far as they are known. */
  readonly event: string;
  readonly repository?: string;
  readonly ref?: string;
  readonly commit?: string;
  readonly status: 'received' | 'done' | 'failed';
  readonly verdicts: readonly DeliveryVerdict[];
  /** Why nothing was made of it, or of parts of it. */
  readonly notes: readonly string[];
  /** How often it has arrived. */
  readonly arrivals: number;
}

/** Deliveries of the last days; the newest 10,000 at most. */
export interface DeliveryStore {
  /**
   * Notes that a delivery has arrived, with what is needed to work it off (headers and body as the forge sent them, at most 1 MiB as JSON).
   * `isNew` is false when this id has arrived before: its arrivals are counted, nothing else changes.
   */
  receive(
    delivery: Omit<Delivery, 'arrivals'>,
    payload: string,
  ): Promise<{ readonly delivery: Delivery; readonly isNew: boolean }>;
  get(id: string): Promise<Delivery | undefined>;
  payload(id: string): Promise<string | undefined>;
  /** Writes what it came to. */
  finish(id: string, result: Pick<Delivery, 'status' | 'verdicts' | 'notes'>): Promise<void>;
  /** Newest first. */
  list(query: {
    readonly limit: number;
    readonly after?: string;
    readonly hook?: string;
  }): Promise<{ readonly deliveries: readonly Delivery[]; readonly next?: string }>;
}

/** How many notifications of runs a store keeps, how many webhooks of the registry, and how many deliveries of each: the newest. */
export const maxNotifications = 100;
export const maxWebhooks = 500;
export const maxOutgoing = 1000;

/** The web addresses that are told of runs or of the registry, and what was sent to them. The name says which: {@link isWebhookKey}. */
export interface NotificationStore {
  get(name: string): Promise<Notification | undefined>;
  /** All of those that are told of runs, or all webhooks, by name. */
  list(kind?: 'notifications' | 'webhooks'): Promise<readonly Notification[]>;
  /**
   * Writes one whole; `version` of what is written is `expected` + 1, and `expected` what the writer has seen: 0 for a new one. Rejects with
   * `conflict` when the stored one is another, or when it would be one more than {@link maxNotifications} or {@link maxWebhooks}.
   */
  put(notification: Notification, expected: number): Promise<Notification>;
  /** With its deliveries. False when there was none. */
  delete(name: string): Promise<boolean>;
  /** Keeps a delivery with its body; false when one of its id was kept before (nothing changes then). The oldest go when there are too many. */
  addDelivery(delivery: OutgoingDelivery, body: string): Promise<boolean>;
  /** Writes a delivery that is still kept; false when it is not. Its body stays. */
  updateDelivery(delivery: OutgoingDelivery): Promise<boolean>;
  getDelivery(
    name: string,
    id: string,
  ): Promise<{ readonly delivery: OutgoingDelivery; readonly body: string } | undefined>;
  /** Newest first, at most `limit`. */
  listDeliveries(name: string, limit: number): Promise<readonly OutgoingDelivery[]>;
}

export interface Store {
  readonly baseImages: BaseImageStore;
  readonly campaigns: CampaignStore;
  readonly notifications: NotificationStore;
  readonly tasks: TaskStore;
  readonly deliveries: DeliveryStore;
  readonly runs: RunStore;
  readonly events: EventLog;
  readonly workers: WorkerDirectory;
  readonly once: OnceLedger;
  readonly secrets: SecretStore;
  /** What registries that are not ours are asked with about base images, by their hosts as images name them. */
  readonly registryCredentials: SecretStore;
  /** Resolves when the store answers, rejects `redis-unavailable` otherwise, within 1 s. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
