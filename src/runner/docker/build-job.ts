import type { RegistryCredential } from '../../domain/run-request.ts';
import type { BuildStep } from '../../domain/step.ts';
import type { StepIo } from '../../engine/ports.ts';
import type { Context } from '../../source/ports.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { BuildSources } from './build-source.ts';
import type { BaseImage, BuiltVertex } from './buildkit-progress.ts';
import type { EngineMessage } from './json-lines.ts';
import type { RebaseMeans } from './rebase-means.ts';
import type { EngineCalls, EngineRequest } from './request.ts';
import type { RunScope } from './scope.ts';

/** One build to be done. */
export interface BuildJob {
  readonly engine: EngineCalls;
  readonly step: BuildStep;
  readonly context: Context;
  /** By registry host, for what the Dockerfile builds on. */
  readonly credentials: Readonly<Record<string, RegistryCredential>>;
  readonly io: StepIo;
  readonly signal: AbortSignal;
  /** Names the build on the engine; unique there. */
  readonly buildId: string;
  /** Milliseconds, for the pace of progress lines. */
  readonly now: () => number;
  /** The Dockerfile's path inside the context; the step's own when not given. */
  readonly dockerfile?: string;
  /** What further flags mean for `POST /build`. */
  readonly query?: NonNullable<EngineRequest['query']>;
}

/** What a build came to, and what was learned on the way. */
export interface BuildReport {
  readonly outcome: Outcome;
  /** `sha256:…`, the image's id on the engine; absent when there is none. */
  readonly imageId?: string;
  /** Short id of an image that a failed build seems to have left, by words that its steps can write too. */
  readonly remains?: string;
  /** What BuildKit did; empty with the classic builder. */
  readonly vertices: readonly BuiltVertex[];
  /** Base images that were resolved at a registry. */
  readonly bases: readonly BaseImage[];
}

/** What the engine says went wrong. */
export interface EngineFault {
  readonly message: string;
  readonly code?: number;
}

/** The part of a build that differs between BuildKit and the classic builder. */
export interface Builder {
  /** What to send besides the step's own options. */
  readonly query: NonNullable<EngineRequest['query']>;
  readonly headers: NonNullable<EngineRequest['headers']>;
  /** Takes a message of the engine's answer. */
  take(message: EngineMessage): void;
  /** Emits what output is left. */
  flush(): void;
  /** Stops the build on the engine and resolves when nothing of it runs any more; `ended` resolves when its answer is over. */
  stop(ended: Promise<unknown>, disconnect: () => void): Promise<void>;
  /** Lets go of what was opened for the build; may be called twice. Rejects when it could not be opened. */
  close(): Promise<void>;
  describe(fault: EngineFault): Outcome;
  readonly imageId: string | undefined;
  readonly remains: string | undefined;
  readonly vertices: readonly BuiltVertex[];
  readonly bases: readonly BaseImage[];
}

/** A build step to be done. */
export interface StepBuild {
  readonly scope: RunScope;
  readonly sources: BuildSources;
  readonly step: BuildStep;
  readonly io: StepIo;
  readonly signal: AbortSignal;
  /** Names the build on the engine; unique there. */
  readonly buildId: string;
  readonly createBuilder: (job: BuildJob) => Builder;
  /** Host of our registry as image names have it. */
  readonly registryHost: string;
  /** What the engine builds when no platform is named: `linux/amd64`. */
  readonly enginePlatform: string;
  /** For builds that may be done in the registry; absent: none may. */
  readonly rebase?: RebaseMeans;
}

/** The values of a step's secret arguments, by name. */
export function secretArguments(step: BuildStep): ReadonlyMap<string, string> {
  return new Map(step.arguments.filter((one) => one.isSecret).map((one) => [one.name, one.value]));
}
