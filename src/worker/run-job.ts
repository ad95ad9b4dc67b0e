import type { RunSetup } from '../engine/ports.ts';
import type { Progress } from '../engine/progress.ts';
import { runPlan, type RunResult } from '../engine/run.ts';
import { stopOf } from '../engine/stop.ts';
import type { Context } from '../source/ports.ts';
import { readBaseUpdate } from './base-update.ts';
import type { KeptPlan } from './plan-keeper.ts';
import type { Resumption } from './resume.ts';
import { prepareScan } from './scan.ts';
import { credentialsOf, registryCredentials, type Work, type WorkRunOptions } from './work.ts';

/** What is run: a plan that this attempt made, one that an earlier attempt had begun, or that of the run that this one goes on from. */
export interface Job extends Omit<KeptPlan, 'secrets'> {
  readonly context?: Context | undefined;
  readonly progress?: Progress;
  readonly resumption?: Resumption;
  readonly keepReport?: RunSetup['keepReport'] | undefined;
}

/** Keeps what another run can go on with, unless another attempt goes on with it. That it cannot be kept is no fault of the run. */
async function keepFailed(work: Work, { plan, attempt, source }: Job, options: WorkRunOptions): Promise<void> {
  const { runId } = work.run;
  const stopped = stopOf(work.stopper.signal)?.kind;
  if (stopped === 'superseded' || stopped === 'handed-back') return;
  try {
    await work.recorded();
    await options.plans.keep(runId, { attempt, plan, source, secrets: work.mask.known() }, options.keepFailedMs);
  } catch (error) {
    options.logger.warn({ err: error, runId }, 'the plan of a run that failed could not be kept');
  }
}

async function setUp(work: Work, job: Job, options: WorkRunOptions): Promise<RunSetup> {
  const { plan, attempt, context, resumption, keepReport } = job;
  const { run, request } = work;
  const { cpu } = request.agentConfiguration;
  const baseUpdate = await readBaseUpdate(run, options.baseImages);
  return {
    runId: run.runId,
    attempt,
    plan,
    ...(baseUpdate && { baseUpdate }),
    ...(cpu !== undefined && { cpus: cpu }),
    ...(context && { context }),
    ...(keepReport && { keepReport }),
    ...(resumption?.workspaceOf && { workspaceOf: resumption.workspaceOf }),
    openRemoteContext: (url, signal) => {
      const credentialFor = credentialsOf(work, options);
      return options.openContext(url, { secret: undefined, dockerfile: undefined, credentialFor, signal });
    },
    registryCredentials: await registryCredentials(work, options),
  };
}

async function runPlanned(work: Work, job: Job, options: WorkRunOptions): Promise<RunResult> {
  const { plan, progress, resumption } = job;
  const { clock, timer, runner, maxParallel } = options;
  const { run, request, stopper, emit, recorded } = work;
  const spentMs = progress ? clock.now() - Date.parse(run.startTime ?? run.createTime) : 0;
  return runPlan({
    plan,
    setup: await setUp(work, job, options),
    ...(maxParallel !== undefined && { maxParallel }),
    ...{ runner, timer, clock, progress, emit, recorded, signal: stopper.signal },
    ...{ keepFailed: options.keepFailedMs > 0, takenOver: resumption?.takenOver },
    timeoutMs: Math.max(0, request.timeout * 1000 - spentMs),
  });
}

/** Runs a plan, or what is left of it, to its end; what failed is kept for a run that goes on from there. Rejects as `runPlan` does. */
export async function runJob(work: Work, job: Job, options: WorkRunOptions): Promise<RunResult> {
  const scan = await prepareScan(work, job.plan, options);
  const result = await runPlanned(work, { ...job, ...scan?.job }, options);
  if (options.keepFailedMs > 0 && result.status !== 'Succeeded') await keepFailed(work, job, options);
  return scan === undefined ? result : scan.finish(result);
}

/** As {@link runJob}, for a plan of which nothing was done yet in this run: kept for whoever takes the run up should its worker be lost. */
export async function runFresh(work: Work, job: Job, options: WorkRunOptions): Promise<RunResult> {
  const { plan, attempt, source } = job;
  // Only what cannot simply be done again needs to be taken up where it was.
  const isKept = plan.steps.some(({ kind }) => kind === 'cmd');
  if (isKept) await options.plans.keep(work.run.runId, { attempt, plan, source, secrets: work.mask.known() });
  return runJob(work, job, options);
}
