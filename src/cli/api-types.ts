import type { ImportCalls } from './import-client.ts';
import type { Readable } from 'node:stream';
import type { DependencyEntry } from '../domain/dependency-document.ts';
import type { SequencedEvent } from '../domain/event.ts';
import type { FinalStatus, OutputImage, RunStatus, RunType, StepRecord } from '../domain/run.ts';
import type { Argument, Platform } from '../domain/run-request.ts';
import type { AccessCalls } from './access-client.ts';
import type { UpkeepCalls } from './upkeep-client.ts';
import type { CareCalls } from './care-client.ts';
import type { TrustCalls } from './trust-client.ts';
import type { NotificationCalls } from './notification-client.ts';
import type { PatchingCalls } from './patching-types.ts';
import type { RepositoryCalls } from './repository-client.ts';
import type { TaskCalls } from './task-types.ts';

import type { WebhookCalls } from './webhook-client.ts';

/** A run as the API shows it: the `properties` of its document (azure-api.md §6.3 and our own additions). */
export interface RunView {
  readonly runId: string;
  readonly status: RunStatus;
  readonly runType: RunType;
  readonly createTime: string;
  readonly startTime?: string;
  readonly finishTime?: string;
  readonly outputImages?: readonly OutputImage[];
  readonly platform?: Platform;
  readonly runErrorMessage?: string;
  readonly steps?: readonly StepRecord[];
  readonly dependencies?: readonly DependencyEntry[];
  readonly attempt?: number;
  readonly worker?: string;
  readonly waiting?: { readonly position?: number; readonly reason: string };
  /** The task that it is a run of. */
  readonly task?: string;
  readonly agentPoolName?: string;
  readonly sourceTrigger?: {
    readonly eventType: string;
    readonly commitId?: string;
    readonly pullRequestId?: string;
    readonly branchName?: string;
    readonly tagName?: string;
    readonly repositoryUrl?: string;
  };
  readonly timerTrigger?: { readonly timerTriggerName: string; readonly scheduleOccurrence: string };
  readonly imageUpdateTrigger?: {
    readonly images: readonly { readonly registry?: string; readonly repository: string; readonly tag?: string }[];
  };
  readonly cause?: {
    readonly kind: string;
    readonly by?: string;
    readonly rerunOf?: string;
    readonly fromFailed?: boolean;
    readonly isTrusted?: boolean;
    /** The campaign of base images that it belongs to. */
    readonly campaign?: string;
    /** The image that a scan looks at. */
    readonly image?: { readonly repository: string; readonly tag?: string; readonly digest: string };
  };
}

/** What the server says of its registry. */
export interface RegistryView {
  readonly name: string;
  /** The host as it stands in image names. */
  readonly loginServer: string;
}

/** A worker as the API lists it. */
export interface WorkerView {
  readonly name: string;
  readonly engine: { readonly ok: boolean; readonly version?: string; readonly reason?: string };
}

/** What all bodies of scheduleRun may have (schemas/api/run-request-parts.schema.json). */
interface BodyBase {
  readonly platform?: Partial<Platform>;
  /** Seconds. */
  readonly timeout?: number;
  readonly credentials?: { readonly sourceRegistry: { readonly loginMode: 'None' | 'Default' } };
}

/** The body of scheduleRun (schemas/api/docker-build-request.schema.json). */
export interface BuildBody extends BodyBase {
  readonly type: 'DockerBuildRequest';
  readonly sourceLocation: string;
  readonly dockerFilePath: string;
  readonly imageNames: readonly string[];
  readonly isPushEnabled: boolean;
  readonly noCache: boolean;
  readonly target?: string;
  readonly arguments: readonly Argument[];
}

/** The body of scheduleRun for a task file in the context (schemas/api/file-task-run-request.schema.json). */
export interface FileTaskBody extends BodyBase {
  readonly type: 'FileTaskRunRequest';
  readonly sourceLocation: string;
  readonly taskFilePath: string;
  readonly valuesFilePath?: string;
  readonly values: readonly Argument[];
}

/** The body of scheduleRun for a task file that comes along (schemas/api/encoded-task-run-request.schema.json). */
export interface EncodedTaskBody extends BodyBase {
  readonly type: 'EncodedTaskRunRequest';
  readonly sourceLocation?: string;
  /** In base64, as the values are. */
  readonly encodedTaskContent: string;
  readonly encodedValuesContent?: string;
  readonly values: readonly Argument[];
}

/** The body of scheduleRun for a task that the server keeps (schemas/api/task-run-request.schema.json). */
export interface TaskRunBody {
  readonly type: 'TaskRunRequest';
  /** Its name. */
  readonly taskId: string;
  readonly overrideTaskStepProperties?: {
    readonly contextPath?: string;
    /** The Dockerfile or the task file. */
    readonly file?: string;
    readonly target?: string;
    readonly arguments?: readonly Argument[];
    readonly values?: readonly Argument[];
    /** In base64. */
    readonly updateTriggerToken?: string;
  };
  readonly agentPoolName?: string;
}

export type RunBody = BuildBody | FileTaskBody | EncodedTaskBody | TaskRunBody;

/** What the API shows of a secret. */
export interface SecretView {
  readonly name: string;
  readonly lastUpdatedTime: string;
  readonly updatedBy: string;
}

/** What comes on a run's event stream: an event, or word that the run is over. */
export type StreamMessage = { readonly event: SequencedEvent } | { readonly end: FinalStatus };

/** Our own API. Every method rejects with a FailureError. */
export interface ApiClient
  extends
    TaskCalls,
    NotificationCalls,
    WebhookCalls,
    PatchingCalls,
    AccessCalls,
    ImportCalls,
    CareCalls,
    UpkeepCalls,
    TrustCalls,
    RepositoryCalls {
  readonly server: string;
  registry(): Promise<RegistryView>;
  workers(): Promise<readonly WorkerView[]>;
  /** A place for one context, and the name under which a run request refers to it. */
  createUpload(signal?: AbortSignal): Promise<{ readonly uploadUrl: string; readonly relativePath: string }>;
  /** Sends an archive to a place; not repeated, for the stream is gone. `onBytes` hears how many bytes have left. */
  upload(url: string, archive: Readable, options: UploadOptions): Promise<void>;
  /** Schedules a run; with the same key, however often it is called, only one. */
  scheduleRun(body: RunBody, idempotencyKey: string): Promise<RunView>;
  /** Starts a scan of an image; never repeated. */
  scan(image: string): Promise<RunView>;
  run(id: string): Promise<RunView>;
  /** The newest runs first. */
  runs(query: { readonly top: number; readonly filter?: string }): Promise<readonly RunView[]>;
  cancel(id: string): Promise<void>;
  /**
   * Makes a new run of what a run that is over was, from its beginning or from where it failed; with the same key, however often it is called,
   * only one.
   */
  rerun(id: string, options: { readonly fromFailed: boolean; readonly idempotencyKey: string }): Promise<RunView>;
  secrets(): Promise<readonly SecretView[]>;
  setSecret(name: string, value: Buffer): Promise<SecretView>;
  deleteSecret(name: string): Promise<void>;
  /** The text log as far as there is any. */
  log(id: string): Promise<AsyncIterable<Uint8Array>>;
  /** One connection to a run's events behind `after`; ends when the connection does. */
  events(id: string, after: number, signal: AbortSignal): AsyncIterable<StreamMessage>;
}

/** As much of the API as following a run takes. */
export type RunReader = Pick<ApiClient, 'server' | 'run' | 'events'>;

export interface UploadOptions {
  readonly signal: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
  /** Besides what says that it is a stream of bytes. */
  readonly headers?: Readonly<Record<string, string>>;
}
