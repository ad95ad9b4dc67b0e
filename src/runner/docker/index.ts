import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { createPlan } from '../../domain/step-defaults.ts';
import type { StepRunner } from '../../engine/ports.ts';
import { createBuildKitBuilder } from './buildkit-builder.ts';
import { createClassicBuilder } from './classic-builder.ts';
import { isMissing } from './errors.ts';
import type { Engine } from './client.ts';
import { prepareRun, type RunMeans } from './prepared-run.ts';
import { sweepEngine, type SweepResult } from './reaper.ts';
import { listRunContainers } from './run-containers.ts';
import { nameOf, type ContainerSettings, type RunScope } from './scope.ts';
import { sweepSockets } from './socket/paths.ts';
import { runStepBuild } from './step-build.ts';

export { connectEngine, type Engine } from './client.ts';
export type { SweepResult } from './reaper.ts';

/** What the runner writes to the log: a line with what it is about. */
export interface RunnerLogger {
  warn(about: object, message: string): void;
}

/** How a runner works. */
export interface DockerRunnerOptions extends ContainerSettings {
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
  readonly liveRuns: Pick<ReadonlySet<string>, 'has'>;
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

/** Work that nobody waits for but `settle`; what goes wrong with it is only logged. */
interface Background {
  readonly start: RunScope['inBackground'];
  readonly settle: () => Promise<void>;
}

function createBackground(logger: RunnerLogger | undefined): Background {
  const underway = new Set<Promise<void>>();
  return {
    start: (what, work) => {
      const done = work()
        .catch((error: unknown) => logger?.warn({ err: error }, `${what} did not work`))
        .finally(() => underway.delete(done));
      underway.add(done);
      return done;
    },
    settle: async () => {
      while (underway.size > 0) await Promise.all(underway);
    },
  };
}

/** How builds of a runner are done: by BuildKit where the engine has it. */
function meansOf(options: DockerRunnerOptions): RunMeans {
  const { engine, installation, registryHost, builder, createId, pushBackoffMs } = options;
  return {
    pushBackoffMs: pushBackoffMs ?? [500, 2000],
    build: async (scope, sources, about) => {
      const { hasBuildKit, platform: enginePlatform } = await engine.version();
      const isClassic = builder === 'classic' || !hasBuildKit;
      const createBuilder = isClassic ? createClassicBuilder : createBuildKitBuilder;
      const buildId = `slipway-${installation}-${scope.setup.runId}-${(createId ?? randomUUID)()}`;
      return runStepBuild({ scope, sources, ...about, buildId, createBuilder, registryHost, enginePlatform });
    },
  };
}

/** An image that a run has used before it was taken up again: its containers', or that of a step that had begun. */
async function findHeld({ engine, installation, setup, plan }: RunScope): Promise<Pick<RunScope, 'heldImage'>> {
  if (!setup.begunTries) return {};
  const [container] = await listRunContainers(engine, { installation, runId: setup.runId });
  const begun = plan.steps.find((step) => step.kind === 'cmd' && setup.begunTries?.has(step.id));
  const heldImage = container?.image ?? (begun?.kind === 'cmd' ? begun.image : undefined);
  return heldImage === undefined ? {} : { heldImage };
}

/** Makes a runner that does its steps on a container engine, by its API alone: local, through a mounted socket, or remote. */
export function createDockerRunner(options: DockerRunnerOptions): DockerRunner {
  const { engine, installation, registryHost, clock, logger } = options;
  const background = createBackground(logger);
  const means = meansOf(options);
  const { address } = engine;
  return {
    prepare: async (setup) => {
      await engine.version();
      const plan = setup.plan ?? createPlan([]);
      const now = (): number => clock.now();
      const settings = options;
      const scope = { engine, address, setup, plan, installation, settings, now, inBackground: background.start };
      return prepareRun({ ...scope, ...(await findHeld(scope)) }, means);
    },
    holds: async ({ runId, attempt }) => {
      const path = `/volumes/${nameOf({ installation, setup: { runId, attempt } }, 'workspace')}`;
      const found = await engine.json({ method: 'GET', path }).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      return found !== undefined;
    },
    sweep: async (sweep) => {
      const { socketDirectory } = options;
      if (socketDirectory !== undefined) await sweepSockets(socketDirectory, { installation, ...sweep });
      return sweepEngine(engine, { minImageAgeMs: 3_600_000, ...sweep, installation, registryHost, now: clock.now() });
    },
    settle: background.settle,
  };
}
