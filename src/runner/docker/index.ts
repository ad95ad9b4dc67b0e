import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { BuildStep, Step } from '../../domain/step.ts';
import type { PreparedRun, RunSetup, StepIo, StepRunner } from '../../engine/ports.ts';
import { createMasker } from '../../secret/mask.ts';
import { runBuild } from './build.ts';
import { secretArguments, type BuildReport } from './build-job.ts';
import { createBuildKitBuilder } from './buildkit-builder.ts';
import { createClassicBuilder } from './classic-builder.ts';
import type { Engine } from './client.ts';
import { findImageIds, removeDangling } from './images.ts';
import { runPush } from './push.ts';
import { sweepEngine, type SweepResult } from './reaper.ts';

export { connectEngine, type Engine } from './client.ts';
export type { SweepResult } from './reaper.ts';

/** What the runner writes to the log: a line with what it is about. */
export interface RunnerLogger {
  warn(about: object, message: string): void;
}

/** How a runner works. */
export interface DockerRunnerOptions {
  readonly engine: Engine;
  /** The installation's id, the same over restarts: what is on the engine is told apart by it. */
  readonly installation: string;
  /** Host of our registry as image names have it: `127.0.0.1:5000`. */
  readonly registryHost: string;
  readonly clock: Clock;
  readonly logger?: RunnerLogger;
  /** Gives a build a name that no other build has on the engine; random when not given. */
  readonly createId?: () => string;
  /** `classic` builds without BuildKit even where the engine has it. */
  readonly builder?: 'auto' | 'classic';
  /** Milliseconds to wait before each further try of a push. */
  readonly pushBackoffMs?: readonly number[];
}

/** What a sweep leaves alone. */
export interface RunnerSweep {
  readonly liveRuns: ReadonlySet<string>;
  /** How many of our images stay. */
  readonly keepImages: number;
  /** Images tagged less than that many milliseconds ago stay; an hour when not given. */
  readonly minImageAgeMs?: number;
  /** Bytes that the builder's cache may keep; not given: it is left alone. */
  readonly maxCacheBytes?: number;
}

/** A runner on a container engine. */
export interface DockerRunner extends StepRunner {
  /** Removes what ended runs left on the engine, and old images. */
  sweep(options: RunnerSweep): Promise<SweepResult>;
  /** Resolves when the cleaning up that goes on behind finished steps is done. */
  settle(): Promise<void>;
}

/** What a runner shares among its runs. */
interface Shared {
  readonly options: DockerRunnerOptions;
  /** Work that nobody waits for but `settle`. */
  readonly background: Set<Promise<void>>;
}

/** Starts work that the run need not wait for; what goes wrong with it is only logged. */
function inBackground({ options, background }: Shared, what: string, work: () => Promise<void>): void {
  const done = work()
    .catch((error: unknown) => options.logger?.warn({ err: error }, `${what} did not work`))
    .finally(() => background.delete(done));
  background.add(done);
}

/** The engine's words about an instruction have the values of its arguments in them. */
function withoutSecrets(outcome: Outcome, step: BuildStep): Outcome {
  if (outcome.kind !== 'failed') return outcome;
  const mask = createMasker([...secretArguments(step).values()]);
  return { ...outcome, message: mask(outcome.message) };
}

/**
 * Ids of images that a build leaves without a name: the one its tags have moved away from, its own when it got none, and what a failed
 * one had come to. The latter may only go when it was made since the build's start.
 */
function findLeftovers(
  { imageId, remains }: BuildReport,
  step: BuildStep,
  before: ReadonlySet<string>,
): readonly [readonly string[], 'ever' | 'start'] {
  if (imageId === undefined) return [remains === undefined ? [] : [remains], 'start'];
  return [step.tags.length === 0 ? [imageId] : [...before].filter((id) => id !== imageId), 'ever'];
}

async function build(shared: Shared, setup: RunSetup, step: BuildStep, about: StepContact): Promise<Outcome> {
  const { engine, installation, clock, builder, createId } = shared.options;
  if (!setup.context) return { kind: 'failed', message: 'the run has no context to build from' };
  const { hasBuildKit } = await engine.version();
  const startedAt = clock.now();
  const before = findImageIds(engine, step.tags).catch(() => new Set<string>());
  const job = {
    engine,
    step,
    context: setup.context,
    credentials: setup.registryCredentials,
    ...about,
    buildId: `slipway-${installation}-${setup.runId}-${(createId ?? randomUUID)()}`,
    now: () => clock.now(),
  };
  const isClassic = builder === 'classic' || !hasBuildKit;
  const report = await runBuild(job, isClassic ? createClassicBuilder : createBuildKitBuilder);
  const [left, since] = findLeftovers(report, step, await before);
  if (left.length > 0) {
    const remove = (): Promise<void> => removeDangling(engine, left, since === 'start' ? startedAt : 0);
    inBackground(shared, 'removing images that have no name', remove);
  }
  return withoutSecrets(report.outcome, step);
}

interface StepContact {
  readonly io: StepIo;
  readonly signal: AbortSignal;
}

function runStep(shared: Shared, setup: RunSetup, step: Step, about: StepContact): Promise<Outcome> {
  const { engine, clock, pushBackoffMs } = shared.options;
  switch (step.kind) {
    case 'build':
      return build(shared, setup, step, about);
    case 'push':
      return runPush({
        engine,
        images: step.images,
        credentials: setup.registryCredentials,
        ...about,
        now: () => clock.now(),
        backoffMs: pushBackoffMs ?? [500, 2000],
      });
  }
}

/** Makes a runner that does its steps on a container engine, by its API alone: local, through a mounted socket, or remote. */
export function createDockerRunner(options: DockerRunnerOptions): DockerRunner {
  const background = new Set<Promise<void>>();
  const shared: Shared = { options, background };
  const { engine, installation, registryHost, clock } = options;
  return {
    prepare: async (setup): Promise<PreparedRun> => {
      await engine.version();
      return { run: (step, io, signal) => runStep(shared, setup, step, { io, signal }), dispose: async () => {} };
    },
    sweep: (sweep) =>
      sweepEngine(engine, { minImageAgeMs: 3_600_000, ...sweep, installation, registryHost, now: clock.now() }),
    settle: async () => {
      while (background.size > 0) await Promise.all(background);
    },
  };
}
