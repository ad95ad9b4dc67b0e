import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { createPlan } from '../../domain/step-defaults.ts';
import type { StepRunner } from '../../engine/ports.ts';
import { createBuildKitBuilder } from './buildkit-builder.ts';
import { createClassicBuilder } from './classic-builder.ts';
import { isMissing } from './errors.ts';
import { usualRunLimits } from '../../domain/run-limits.ts';
import type { Engine } from './client.ts';
import { findKept, requireKept, type KeptLimits } from './kept-workspace.ts';
import { applyLimits } from './limits/applied.ts';
import { warnUnlimited } from './limits/build-limits.ts';
import { createCapacity, unknownCapacity } from './limits/capacity.ts';
import { createCpuSharing } from './limits/cpu-sharing.ts';
import { freeCpus, type CpuSharing } from './limits/cpus.ts';
import { patientPauses } from '../../registry-client/retry.ts';
import { prepareRun, type RunMeans } from './prepared-run.ts';
import { createRebaseMeans } from './rebase-means.ts';
import { sweepEngine, type SweepResult } from './reaper.ts';
import { hasBuilt, hasPushed } from './remains.ts';
import { listRunContainers } from './run-containers.ts';
import { labels, nameOf, type ContainerSettings, type RunScope } from './scope.ts';
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
  /** How this process reaches our registry, without a slash at the end; not given: by its host, over http where that is this machine. */
  readonly registryUrl?: string;
  readonly clock: Clock;
  readonly logger?: RunnerLogger;
  /** Gives a build a name that no other build has on the engine; random when not given. */
  readonly createId?: () => string;
  /** `classic` builds without BuildKit even where the engine has it. */
  readonly builder?: 'auto' | 'classic';
  /** Milliseconds to wait before each further try of a push; not given: our own registry is waited for, others are tried three times. */
  readonly pushBackoffMs?: readonly number[];
}

/** What a sweep leaves alone. */
export interface RunnerSweep {
  readonly liveRuns: Pick<ReadonlySet<string>, 'has'>;
  /** Which workspaces of failed runs stay, so that others can go on from there; not given: none. */
  readonly keptWorkspaces?: KeptLimits;
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
  const rebase = createRebaseMeans(options);
  return {
    pushBackoffMs: (registry) =>
      pushBackoffMs ?? (registry === registryHost.toLowerCase() ? patientPauses(Math.random) : [500, 2000]),
    build: async (scope, sources, about) => {
      const { hasBuildKit, platform: enginePlatform } = await engine.version();
      const isClassic = builder === 'classic' || !hasBuildKit;
      if (!isClassic) warnUnlimited(about.step, about.io);
      const createBuilder = isClassic ? createClassicBuilder : createBuildKitBuilder;
      const buildId = `slipway-${installation}-${scope.setup.runId}-${(createId ?? randomUUID)()}`;
      const how = { buildId, createBuilder, registryHost, enginePlatform, rebase };
      return runStepBuild({ scope, sources, ...about, ...how });
    },
  };
}

/**
 * An image that a run has used before it was taken up again: its containers', or that of a step that had begun. For one that goes on from
 * another, what was kept of that.
 */
async function findHeld(scope: RunScope): Promise<Pick<RunScope, 'heldImage' | 'kept'>> {
  const { engine, installation, setup, plan } = scope;
  if (setup.workspaceOf) {
    const kept = await requireKept(engine, installation, setup.workspaceOf);
    return { kept, heldImage: kept.image };
  }
  if (!setup.begunTries) return {};
  const [container] = await listRunContainers(engine, { installation, runId: setup.runId });
  const begun = plan.steps.find((step) => step.kind === 'cmd' && setup.begunTries?.has(step.id));
  const heldImage = container?.image ?? (begun?.kind === 'cmd' ? begun.image : undefined);
  return heldImage === undefined ? {} : { heldImage };
}

function shareCpus(
  { engine, installation, setup, limits }: Pick<RunScope, 'engine' | 'installation' | 'setup' | 'limits'>,
  inBackground: RunScope['inBackground'],
): CpuSharing {
  if (limits.nanoCpus === undefined) return freeCpus;
  const runLabels = { [labels.installation]: installation, [labels.run]: setup.runId };
  return createCpuSharing({ engine, runLabels, total: limits.nanoCpus, inBackground });
}

/** Makes a runner that does its steps on a container engine, by its API alone: local, through a mounted socket, or remote. */
export function createDockerRunner(options: DockerRunnerOptions): DockerRunner {
  const { engine, installation, registryHost, clock, logger } = options;
  const background = createBackground(logger);
  const means = meansOf(options);
  const { address } = engine;
  const readCapacity = createCapacity(engine);
  return {
    prepare: async (setup) => {
      await engine.version();
      const plan = setup.plan ?? createPlan([]);
      const now = (): number => clock.now();
      const settings = options;
      const capacity = plan.steps.some(({ kind }) => kind !== 'push') ? await readCapacity() : unknownCapacity;
      const { cpus, maxParallel } = setup;
      const limits = applyLimits({ plan, settings: options.limits ?? usualRunLimits, capacity, cpus, maxParallel });
      const about = { engine, address, setup, plan, installation, settings, now, limits };
      const scope = { ...about, inBackground: background.start, cpus: shareCpus(about, background.start) };
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
    keeps: async (run) => (await findKept(engine, installation, run)) !== undefined,
    hasBuilt: (image) => hasBuilt(engine, image),
    hasPushed: (image, credentials) => hasPushed(engine, image, credentials),
    sweep: async (sweep) => {
      const { socketDirectory } = options;
      if (socketDirectory !== undefined) await sweepSockets(socketDirectory, { installation, ...sweep });
      return sweepEngine(engine, { minImageAgeMs: 3_600_000, ...sweep, installation, registryHost, now: clock.now() });
    },
    settle: background.settle,
  };
}
