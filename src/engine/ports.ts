import type { ImageAtDigest } from '../domain/base-image.ts';
import type { ImageDependencies } from '../domain/dependencies.ts';
import type { OutputStream } from '../domain/event.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { OutputImage, RunId } from '../domain/run.ts';
import type { RegistryCredential } from '../domain/run-request.ts';
import type { Plan, Step, StepId } from '../domain/step.ts';
import type { BaseImageTrigger } from '../domain/task.ts';
import type { Context } from '../source/ports.ts';

/** Where a step's output and results go. Calls never throw and never wait; what is behind them bounds and batches. */
export interface StepIo {
  /** One line without its line end; may be called in any order of streams. */
  output(stream: OutputStream, text: string): void;
  /** An image has arrived in its registry. */
  pushed(image: OutputImage): void;
  /** What the images that a build made stand on. */
  builtOn(dependencies: readonly ImageDependencies[]): void;
}

/** The attempt at a run that something on an engine is named after. */
export interface NamedAttempt {
  readonly runId: RunId;
  readonly attempt: number;
}

/** What becomes of what the steps of a run shared. */
export interface DisposeOptions {
  /** Keep the workspace, if there is one, for a later run that goes on from here. */
  readonly keepWorkspace: boolean;
}

/** What a run that changed base images have set off must keep to. */
export interface BaseUpdateSetup {
  /** Builds that stand on these references stand on these digests, or on newer ones. */
  readonly images: readonly ImageAtDigest[];
  readonly strategy: NonNullable<BaseImageTrigger['strategy']>;
  /** The images of the task and what they stand on, as its last good run made them; asked for only where they may be rebased. */
  readonly made: readonly ImageDependencies[];
}

/** The longest report of a step that is read, in bytes. */
export const maxReportBytes = 16 * 1024 * 1024;

/** What a step left as its report, or why that cannot be had. */
export type StepReport = { readonly bytes: Buffer } | { readonly fault: string };

/** What a runner must know of a run before its first step. */
export interface RunSetup {
  readonly runId: RunId;
  readonly attempt: number;
  /**
   * Notes that a container was made for this try of a cmd step and is about to be started; resolves when that is kept for good, rejects
   * when another attempt has the run. So whoever takes the run up later knows of every container that ever ran. Absent, like `recorded`:
   * nothing of the run outlives this process.
   */
  readonly begin?: (step: StepId, number: number) => Promise<void>;
  /** Resolves when everything that was said of the run so far is kept: a container that has ended is removed after what it came to is. */
  readonly recorded?: () => Promise<void>;
  /**
   * For a run that is taken up again: the try of each cmd step that was begun last. What its containers, volumes and networks were is still
   * there under `attempt`, the attempt that began it; `run` for such a try follows the container that does it, and never makes another.
   */
  readonly begunTries?: ReadonlyMap<StepId, number>;
  /**
   * The earlier run whose kept workspace this one begins with, as a copy, in place of the context's files; `prepare` rejects with `not-found`
   * when it is gone.
   */
  readonly workspaceOf?: NamedAttempt;
  /** Processors that the run asks for, parts of one too; absent: as many as the runner gives. */
  readonly cpus?: number;
  /** How many steps may run at the same time; absent: any number. */
  readonly maxParallel?: number;
  /** All that will be run (absent: build and push steps alone): what the steps share (networks, volumes, a workspace) is made ready from it. */
  readonly plan?: Plan;
  /** Opens the context of a build step that names one of its own: a git repository, a tar archive. */
  readonly openRemoteContext?: (url: string, signal: AbortSignal) => Promise<Context>;
  /** What `build` steps read. Absent for a run without a context. */
  readonly context?: Context;
  /**
   * Given what each cmd step that has ended leaves as its report, whatever its exit code: the file `/workspace/report.json`, or else its
   * standard output, byte for byte. Absent: nobody wants any.
   */
  readonly keepReport?: (report: StepReport) => void;
  /** For a run that changed base images have set off. */
  readonly baseUpdate?: BaseUpdateSetup;
  /** Credentials by registry host, for pulls and pushes. */
  readonly registryCredentials: Readonly<Record<string, RegistryCredential>>;
}

/**
 * Does steps in containers. Contract: `prepare` once, then `run` for any number of steps (also at the same time), then `dispose`.
 * When `signal` aborts because the run was superseded, containers are left to the attempt that has it now.
 * `run` resolves with what the step came to and rejects only when the runner itself failed (the engine went away).
 * When `signal` aborts, the step's work is really stopped before `run` resolves; its outcome is then `canceled`
 * (the engine room turns it into `timed-out` where the abort came from a timeout), never `failed`: that would be tried again, or ignored.
 * A failure's message says how the step ended for people, with its exit code where it has one. A detached step has succeeded once it runs.
 * `dispose` removes everything made for the run, but for a workspace that is to be kept; it is idempotent and takes no signal.
 */
export interface StepRunner {
  prepare(run: RunSetup): Promise<PreparedRun>;
  /** True when what an earlier attempt at this run has made is still there, so that it can be taken up again. */
  holds(run: NamedAttempt): Promise<boolean>;
  /** True when the workspace that this attempt ended with was kept, and is still here. */
  keeps(run: NamedAttempt): Promise<boolean>;
  /** True when an image that a build made is still here: under each of these names, or by its id when it has none. */
  hasBuilt(image: { readonly names: readonly string[]; readonly imageId: string }): Promise<boolean>;
  /** True when the registry says that it still has an image, by its digest. False also when it does not answer. */
  hasPushed(image: OutputImage, credentials: RunSetup['registryCredentials']): Promise<boolean>;
}

export interface PreparedRun {
  /** `attempt` counts the tries of this step within the run, from 1 (the default): a retry never meets what an earlier one left behind. */
  run(step: Step, io: StepIo, signal: AbortSignal, attempt?: number): Promise<Outcome>;
  dispose(how?: DisposeOptions): Promise<void>;
  /** In place of `dispose` when another attempt has the run: lets go of everything and removes nothing. */
  abandon(): void;
}
