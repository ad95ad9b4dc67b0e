import type { GlobFilter, SourceTriggerEvent } from './source-rules.ts';
import type { AgentConfiguration, Argument, Platform, RunCredentials } from './run-request.ts';

/** A task's name: 5 to 50 letters, digits, `-` and `_`, as Azure has it; letter case is kept, and does not tell two tasks apart. */
export type TaskName = string & { readonly __brand: 'TaskName' };

export function isTaskName(text: string): text is TaskName {
  return /^[a-zA-Z0-9][a-zA-Z0-9_-]{4,49}$/.test(text);
}

export type EnabledStatus = 'Enabled' | 'Disabled';

interface TaskStepBase {
  /** A git URL (`…git#branch:folder`) or the URL of a tar archive; absent: the step reads nothing. Never holds a secret. */
  readonly contextPath?: string;
  /** True when a token for the context is kept, sealed. */
  readonly hasContextToken: boolean;
}

/** Builds one Dockerfile. */
export interface DockerTaskStep extends TaskStepBase {
  readonly type: 'Docker';
  readonly imageNames: readonly string[];
  readonly isPushEnabled: boolean;
  readonly noCache: boolean;
  readonly dockerFilePath: string;
  readonly target?: string;
  readonly arguments: readonly Argument[];
}

/** Runs a task file that lies in the context. */
export interface FileTaskStep extends TaskStepBase {
  readonly type: 'FileTask';
  readonly taskFilePath: string;
  readonly valuesFilePath?: string;
  readonly values: readonly Argument[];
}

/** Runs a task file that is kept with the task. */
export interface EncodedTaskStep extends TaskStepBase {
  readonly type: 'EncodedTask';
  /** The YAML, in base64. */
  readonly encodedTaskContent: string;
  readonly encodedValuesContent?: string;
  readonly values: readonly Argument[];
}

/** What a task does (azure-api.md §6.4). Secret values in it are masked; the real ones are in the task's `sealedSecrets`. */
export type TaskStep = DockerTaskStep | FileTaskStep | EncodedTaskStep;

/** Starts runs at times. */
export interface TimerTrigger {
  readonly name: string;
  /** Five fields of cron. */
  readonly schedule: string;
  readonly status: EnabledStatus;
  /** IANA name; absent: UTC. */
  readonly timeZone?: string;
  /** Whether an occurrence that passed while nothing was there to see it is made up for, once, at the next start. Default: it is. */
  readonly catchUp?: boolean;
}

/** Starts runs by events of a git repository. */
export interface SourceTrigger {
  readonly name: string;
  readonly status: EnabledStatus;
  readonly sourceRepository: {
    /** As the client sent it; which forge it is, is read off the URL. */
    readonly sourceControlType: 'Github' | 'VisualStudioTeamService';
    readonly repositoryUrl: string;
    readonly branch?: string;
    /** Not in Azure: the root of the forge's API, where its address does not follow from the repository's, or is http. */
    readonly apiUrl?: string;
    /** The token's kind; the token itself is kept sealed. Absent: there is none. */
    readonly tokenType?: 'PAT' | 'OAuth';
  };
  readonly sourceTriggerEvents: readonly SourceTriggerEvent[];
  /** What Azure does not have. */
  readonly branches?: GlobFilter;
  readonly tags?: GlobFilter;
  readonly paths?: GlobFilter;
  /** Lets a fork's pull request have the task's secrets and push. */
  readonly trustsForks?: boolean;
}

/** Starts runs when a base image changes. */
export interface BaseImageTrigger {
  readonly name: string;
  readonly baseImageTriggerType: 'All' | 'Runtime';
  readonly status: EnabledStatus;
  readonly updateTriggerEndpoint?: string;
  readonly updateTriggerPayloadType?: 'Default' | 'Token';
  /**
   * What Azure does not have. `rebuild` (the default) always builds. The others exchange the base's layers in the registry, without a
   * build, where that is safe, and build and say why where it is not: `auto` where a rebuild would come to the same, `rebase` also when the
   * context has moved on since: the image keeps the files that it has.
   */
  readonly strategy?: 'rebuild' | 'rebase' | 'auto';
  /** 0 to 9; a campaign rebuilds the tasks of lower waves first and holds when one of them fails. Default: 9. */
  readonly wave?: number;
  /** True: the images of cmd steps count as build-time bases. */
  readonly includesSteps?: boolean;
  /** Tags to follow: a newer tag that matches `pattern` (`docker.io/library/node:20.*`) starts a run with it as this build argument. */
  readonly follow?: readonly { readonly pattern: string; readonly argument: string }[];
}

export interface TaskTrigger {
  readonly timerTriggers: readonly TimerTrigger[];
  readonly sourceTriggers: readonly SourceTrigger[];
  readonly baseImageTrigger?: BaseImageTrigger;
}

/**
 * What becomes of a run that a newer event of the same ref makes old: `queue` runs both, `skip` starts no run while one of the same ref
 * waits that has not begun, `cancel` cancels older ones of the same ref, running or not.
 */
export const supersededPolicies = ['queue', 'skip', 'cancel'] as const;
export type SupersededPolicy = (typeof supersededPolicies)[number];

/** A task: a run that happens by itself. */
export interface Task {
  readonly name: TaskName;
  /** Goes up with every change; a writer that has seen an older one is refused. */
  readonly version: number;
  /** ISO 8601, UTC. */
  readonly createTime: string;
  readonly lastUpdatedTime: string;
  readonly status: EnabledStatus;
  readonly tags: Readonly<Record<string, string>>;
  readonly location: string;
  /** Kept as it was given: Slipway has no managed identities. */
  readonly identity?: Readonly<Record<string, unknown>>;
  readonly platform: Platform;
  readonly agentConfiguration: AgentConfiguration;
  readonly agentPoolName?: string;
  /** Seconds, 300–28800. */
  readonly timeout: number;
  readonly step: TaskStep;
  readonly trigger: TaskTrigger;
  readonly credentials: RunCredentials;
  readonly logTemplate?: string;
  readonly isSystemTask: boolean;
  /** Default `queue`. */
  readonly whenSuperseded: SupersededPolicy;
  /** How many runs of the task may be at work at the same time, at least 1; absent: any number. */
  readonly maxConcurrentRuns?: number;
  /** The task's secrets, encrypted: a {@link TaskSecrets}. */
  readonly sealedSecrets?: string;
}

/** The secrets of a task, taken out of it. */
export interface TaskSecrets {
  /** The token for the step's context. */
  readonly context?: string;
  /** Secret arguments or values, by name. */
  readonly arguments: Readonly<Record<string, string>>;
  /** Passwords of foreign registries, by host. */
  readonly registries: Readonly<Record<string, string>>;
  /** Tokens for the forges of source triggers, by the trigger's name. */
  readonly sources: Readonly<Record<string, string>>;
  /** What the endpoint of the base-image trigger is told by (`updateTriggerToken` of the last run that gave one), in base64. */
  readonly updateToken?: string;
  /** What deliveries to the task's own webhook are signed with: the newest first, and during a rotation the one before it. */
  readonly webhook: readonly string[];
}
