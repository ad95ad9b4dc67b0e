import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { RunCause } from '../../domain/run-cause.ts';
import type { Argument, RunRequest } from '../../domain/run-request.ts';
import type { RunId } from '../../domain/run.ts';
import type { Plan } from '../../domain/step.ts';
import type { Task, TaskName } from '../../domain/task.ts';
import type { Context, ContextWish } from '../../source/ports.ts';

/** A run that never happens, as a task is planned for it before any run. */
export interface StandInRun {
  readonly runId: RunId;
  readonly task: Task;
  readonly cause: RunCause;
  readonly startedAt: Date;
  /** Numbers n, 0 ≤ n < 1, for templates that ask for random ones. */
  readonly random: () => number;
  readonly context: Context | undefined;
  readonly signal: AbortSignal;
}

/** What learning needs of the rest of the house. */
export interface LearnMeans {
  /**
   * The request of a run of the task, its secrets in the clear, and the token for its context; `followed` stands in for the arguments that hold
   * the tags which it follows. Rejects with `internal` for another key, and with `redis-unavailable`.
   */
  readonly requestOf: (
    task: Task,
    followed?: readonly Argument[],
  ) => Promise<{ readonly request: RunRequest; readonly sourceSecret?: string }>;
  /** Opens what a location stands for, within the limits that a run's context has. */
  readonly openContext: (location: string, wish: ContextWish) => Promise<Context>;
  /** Makes the plan that a worker would make. Rejects with `invalid-request` for a task that cannot be planned. */
  readonly plan: (request: RunRequest, run: StandInRun) => Promise<Plan>;
  /** The `ONBUILD` triggers of an image that a task stands on; none where it is not there, or nobody may read it. May reject. */
  readonly triggersOf: (image: ImageIdentity, platform: string, task: TaskName) => Promise<readonly string[]>;
  /** Of the engines that will build: `amd64`, `arm64`, … */
  readonly architecture: string;
  /** How long all of it may take, milliseconds. */
  readonly timeoutMs: number;
}
