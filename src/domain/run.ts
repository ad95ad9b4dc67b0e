import type { ImageDependencies } from './dependencies.ts';
import type { Digest } from './digest.ts';
import type { Outcome } from './outcome.ts';
import type { RunCause } from './run-cause.ts';
import type { RunRequest } from './run-request.ts';
import type { Step, StepId } from './step.ts';
import type { TaskName } from './task.ts';

/** A run's short name, increasing and unique in an installation: `ca1`, `ca2`, … (base 36). */
export type RunId = string & { readonly __brand: 'RunId' };

const runIdPattern = /^[a-z0-9]{1,16}$/;

export function isRunId(text: string): text is RunId {
  return runIdPattern.test(text);
}

export const runStatuses = [
  'Queued',
  'Started',
  'Running',
  'Succeeded',
  'Failed',
  'Canceled',
  'Error',
  'Timeout',
] as const;

/** Failed: a step said no. Error: Slipway could not do its part. */
export type RunStatus = (typeof runStatuses)[number];

export type RunType = 'QuickBuild' | 'QuickRun' | 'AutoBuild' | 'AutoRun';

/** The statuses that a run never leaves. */
export type FinalStatus = Extract<RunStatus, 'Succeeded' | 'Failed' | 'Canceled' | 'Error' | 'Timeout'>;

export function isFinal(status: RunStatus): status is FinalStatus {
  return status !== 'Queued' && status !== 'Started' && status !== 'Running';
}

/** An image that a run pushed. */
export interface OutputImage {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest: Digest;
}

/** What is known of a step, kept up to date while the run goes on. */
export interface StepRecord {
  readonly id: StepId;
  readonly kind: Step['kind'];
  readonly startTime?: string;
  readonly finishTime?: string;
  readonly outcome?: Outcome;
  /** The run that it was really done in: this one goes on from where another failed. */
  readonly takenFrom?: RunId;
}

/** The one record of a run. Times are ISO 8601 in UTC. */
export interface Run {
  readonly runId: RunId;
  readonly status: RunStatus;
  readonly runType: RunType;
  readonly createTime: string;
  readonly startTime?: string;
  readonly finishTime?: string;
  readonly lastUpdatedTime: string;
  /** The task that it is a run of; absent for a quick build or quick run. */
  readonly task?: TaskName;
  /** Absent in records of runs that people submitted before causes were recorded. */
  readonly cause?: RunCause;
  /** The agent pool that does it; absent: `default`. */
  readonly pool?: string;
  /** How many runs of its task may be at work with it; absent: any number. */
  readonly maxConcurrent?: number;
  /** What was asked for, with every secret masked. */
  readonly request: RunRequest;
  /** The request's secrets, encrypted (`secret/`); absent when it has none. Gone when the run is final. */
  readonly sealedSecrets?: string;
  /** How often a worker has taken this run up; every later write must carry this number. */
  readonly attempt: number;
  /** The attempt that planned the run: whoever takes the run up later goes on with that plan. Absent before, and after a hand-back. */
  readonly plannedAttempt?: number;
  /** The worker of the latest attempt. */
  readonly worker?: string;
  readonly cancelRequested?: { readonly at: string; readonly by: string };
  readonly steps: readonly StepRecord[];
  readonly outputImages: readonly OutputImage[];
  /** What the images that it built stand on, in the order in which they were built. */
  readonly dependencies?: readonly ImageDependencies[];
  readonly runErrorMessage?: string;
  readonly isArchiveEnabled: boolean;
}
