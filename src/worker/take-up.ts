import type { Clock } from '../domain/clock.ts';
import { isFinal, type Run, type RunId } from '../domain/run.ts';
import type { Plan, StepId } from '../domain/step.ts';
import type { StepRunner } from '../engine/ports.ts';
import { readProgress, type Progress } from '../engine/progress.ts';
import type { EventLog } from '../store/ports.ts';
import type { KeptPlan, PlanKeeper } from './plan-keeper.ts';
import { readEvents } from './read-events.ts';

/** What is needed to look at a run before it is taken up. */
export interface TakeUpOptions {
  readonly events: Pick<EventLog, 'read'>;
  readonly runner: Pick<StepRunner, 'holds'>;
  readonly plans: Pick<PlanKeeper, 'find'>;
  readonly clock: Clock;
  /** How long a run waits for a worker on the engine that has its containers, milliseconds. */
  readonly engineGraceMs: number;
  /** Runs that wait, since when: kept here by whoever decides. */
  readonly waitingSince: Map<RunId, number>;
}

/** The usual {@link TakeUpOptions.engineGraceMs}: enough for a machine to start again. */
export const usualEngineGraceMs = 120_000;

/** How a run is taken up. */
export type TakeUp =
  /** From its beginning: no step of it has run, or none that cannot simply be done again. */
  | { readonly kind: 'anew' }
  /** Its worker was lost: it goes on from where it was. */
  | { readonly kind: 'go-on'; readonly kept: KeptPlan; readonly progress: Progress }
  /** Its containers are on another engine, whose worker may yet come back. */
  | { readonly kind: 'wait' }
  /** Nobody can go on with it, and to begin again would run steps twice. */
  | { readonly kind: 'lost'; readonly message: string };

/** A cmd step whose container was started: it must not be run a second time. Builds and pushes may. */
function findStarted(plan: Plan, { steps }: Progress): StepId | undefined {
  return plan.steps.find(({ id }) => steps.get(id)?.lastTry !== undefined)?.id;
}

/** A step's container is out of reach: the run waits for a worker that has it, but not for ever. */
function waitOrGiveUp(run: Run, step: StepId, { clock, engineGraceMs, waitingSince }: TakeUpOptions): TakeUp {
  const since = waitingSince.get(run.runId) ?? clock.now();
  waitingSince.set(run.runId, since);
  if (clock.now() - since < engineGraceMs) return { kind: 'wait' };
  waitingSince.delete(run.runId);
  const message = `the worker ${run.worker ?? ''} was lost, and no other reaches the container engine with the containers of this run`;
  return { kind: 'lost', message: `${message}; step ${step} had been started and is not run a second time` };
}

/**
 * Decides how a run is to be taken up by this worker; looks only, changes nothing. A run whose cmd steps have started goes on where its
 * containers are, whoever was its worker; any other begins anew.
 */
export async function decideTakeUp(run: Run, options: TakeUpOptions): Promise<TakeUp> {
  if (isFinal(run.status) || run.cancelRequested || run.plannedAttempt === undefined) return { kind: 'anew' };
  const kept = await options.plans.find(run.runId);
  if (kept?.attempt !== run.plannedAttempt) return { kind: 'anew' };
  const progress = readProgress(await readEvents(options.events, run.runId));
  const started = progress && findStarted(kept.plan, progress);
  if (progress === undefined || started === undefined) return { kind: 'anew' };
  const isHere = await options.runner.holds({ runId: run.runId, attempt: kept.attempt });
  return isHere ? { kind: 'go-on', kept, progress } : waitOrGiveUp(run, started, options);
}
