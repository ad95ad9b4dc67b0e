import type { SourceTriggerEvent, GlobFilter } from '../domain/source-rules.ts';
import type { EnabledStatus, SupersededPolicy, TaskStep } from '../domain/task.ts';
import type { Argument, Platform } from '../domain/run-request.ts';

/** An argument or value as a task's document has it: a secret one comes without its value, unless secrets were asked for. */
export type ArgumentView = Pick<Argument, 'name' | 'isSecret'> & Partial<Pick<Argument, 'value'>>;

/** A task's step as its document has it; which members there are, hangs on its type (azure-api.md §6.4). */
export interface StepView {
  readonly type: TaskStep['type'];
  readonly contextPath?: string;
  readonly contextAccessToken?: string;
  readonly imageNames?: readonly string[];
  readonly isPushEnabled?: boolean;
  readonly noCache?: boolean;
  readonly dockerFilePath?: string;
  readonly target?: string;
  readonly arguments?: readonly ArgumentView[];
  readonly taskFilePath?: string;
  readonly valuesFilePath?: string;
  readonly values?: readonly ArgumentView[];
  /** In base64, as the values are. */
  readonly encodedTaskContent?: string;
  readonly encodedValuesContent?: string;
}

export interface TimerView {
  readonly name: string;
  readonly schedule: string;
  readonly status?: EnabledStatus;
  readonly timeZone?: string;
  readonly catchUp?: boolean;
}

export interface SourceTriggerView {
  readonly name: string;
  readonly status?: EnabledStatus;
  readonly sourceRepository: {
    readonly sourceControlType?: string;
    readonly repositoryUrl: string;
    readonly branch?: string;
    readonly apiUrl?: string;
    readonly sourceControlAuthProperties?: { readonly tokenType?: string; readonly token: string };
  };
  readonly sourceTriggerEvents: readonly SourceTriggerEvent[];
  readonly branches?: GlobFilter;
  readonly tags?: GlobFilter;
  readonly paths?: GlobFilter;
  readonly trustsForks?: boolean;
}

export interface BaseImageTriggerView {
  readonly name: string;
  readonly baseImageTriggerType: string;
  readonly status?: EnabledStatus;
  readonly updateTriggerEndpoint?: string;
  readonly updateTriggerPayloadType?: string;
  readonly strategy?: string;
  readonly wave?: number;
  readonly includesSteps?: boolean;
  readonly follow?: readonly { readonly pattern: string; readonly argument: string }[];
}

export interface TriggerView {
  readonly timerTriggers?: readonly TimerView[];
  readonly sourceTriggers?: readonly SourceTriggerView[];
  readonly baseImageTrigger?: BaseImageTriggerView;
}

/** One thing that starts runs of a task, or could. */
export interface WatchView {
  readonly what: string;
  readonly isWatched: boolean;
  /** Why it is not. */
  readonly because?: string;
  /** Where its deliveries must come to; of a base image in words: how its changes are noticed. */
  readonly how?: string;
  /** What the task's images were built on last, of a base image. */
  readonly digest?: string;
  /** The next occurrences of a timer, ISO 8601. */
  readonly next?: readonly string[];
}

/** A registry's credential; null: there is one, which is not shown. */
export type CredentialView = {
  readonly userName?: { readonly value: string; readonly type?: string };
  readonly password?: { readonly value: string; readonly type?: string };
} | null;

export interface TaskProperties {
  readonly status?: EnabledStatus;
  readonly creationDate?: string;
  readonly platform?: Partial<Platform>;
  readonly agentPoolName?: string;
  /** Seconds. */
  readonly timeout?: number;
  readonly step: StepView;
  readonly trigger?: TriggerView;
  readonly credentials?: {
    readonly sourceRegistry?: { readonly loginMode?: string };
    readonly customRegistries?: Readonly<Record<string, CredentialView>>;
  };
  readonly whenSuperseded?: SupersededPolicy;
  readonly maxConcurrentRuns?: number;
  readonly logTemplate?: string;
  readonly webhook?: { readonly url: string; readonly secrets?: readonly string[] };
  readonly watch?: readonly WatchView[];
}

/** A task's document (azure-api.md §6.4, and members of our own). */
export interface TaskDocument {
  readonly id?: string;
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly identity?: object;
  readonly properties: TaskProperties;
}

/** The body of PUT tasks/{name}: what is left out has its default. */
export interface TaskBody {
  readonly tags?: Readonly<Record<string, string>>;
  readonly identity?: object;
  readonly properties: TaskProperties;
}

/** The body of PATCH tasks/{name}: any part of a document, where null takes a member away. */
export type TaskChange = Readonly<Record<string, unknown>>;

/** What one delivery came to for one task. */
export interface VerdictView {
  readonly task: string;
  readonly runId?: string;
  readonly because?: string;
}

/** A delivery to a webhook, as the server keeps it. */
export interface DeliveryView {
  readonly id: string;
  readonly receivedTime: string;
  readonly hook?: string;
  readonly provider: string;
  readonly event: string;
  readonly repository?: string;
  readonly ref?: string;
  readonly commit?: string;
  readonly status: string;
  readonly verdicts: readonly VerdictView[];
  readonly notes: readonly string[];
  readonly arrivals: number;
}

/** One repository's webhook: registered with its forge, or to be entered there by hand. */
export interface RepositoryWebhook {
  readonly repositoryUrl: string;
  /** In words. */
  readonly events: readonly string[];
  readonly isRegistered: boolean;
}

/** A task's webhook, and what was done about it (schemas/api/webhook-setup.schema.json). */
export interface WebhookSetUp {
  readonly url: string;
  readonly secret: string;
  readonly webhooks: readonly RepositoryWebhook[];
}

/** What a webhook may be set up with. */
export interface SetUpOptions {
  /** In place of the task's own. */
  readonly token?: string;
  /** The forge, where its address does not tell. */
  readonly provider?: string;
}

/** The calls that concern tasks and the webhooks of git forges. Every one rejects with a FailureError. */
export interface TaskCalls {
  /** All of them, by name. */
  tasks(): Promise<readonly TaskDocument[]>;
  task(name: string): Promise<TaskDocument>;
  /** With its secrets, and the version that {@link putTask} replaces. */
  taskDetails(name: string): Promise<{ readonly document: TaskDocument; readonly version: string | undefined }>;
  /** Makes or replaces a task; with `version`, only where the task is still that one. */
  putTask(name: string, body: TaskBody, version?: string): Promise<TaskDocument>;
  patchTask(name: string, change: TaskChange): Promise<TaskDocument>;
  deleteTask(name: string): Promise<void>;
  /** A new secret for the task's webhook, or with `revokeOld` the end of the one before. Resolves with what is good now. */
  renewWebhookSecret(
    name: string,
    revokeOld: boolean,
  ): Promise<{ readonly url: string; readonly secrets: readonly string[] }>;
  /** Registers the task's webhook with its forge where there is a token that may, else says how people do it. */
  setUpWebhook(name: string, options: SetUpOptions): Promise<WebhookSetUp>;
  /** Newest first. */
  deliveries(query: { readonly top: number; readonly hook?: string }): Promise<readonly DeliveryView[]>;
  delivery(id: string): Promise<DeliveryView>;
  redeliver(id: string): Promise<DeliveryView>;
}
