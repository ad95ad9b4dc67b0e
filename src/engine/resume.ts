import type { RunEvent, SequencedEvent } from '../domain/event.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { RunId } from '../domain/run.ts';
import type { Plan, Step, StepId } from '../domain/step.ts';
import { findUnmet, hasFailed, type Ended } from './conditions.ts';

/** What a run takes over from an earlier run of the same plan, instead of doing it. */
export interface TakenOver {
  /** What the steps that are not run came to, in the order of their ends. */
  readonly finished: ReadonlyMap<StepId, Outcome>;
  /** All that is to be said of them: what they pushed and built on, and their ends. */
  readonly events: readonly RunEvent[];
}

/** How an earlier run of a plan stands, when another is to go on from where it failed. */
export interface EarlierRun {
  readonly plan: Plan;
  /** What its steps came to, in the order of their ends. */
  readonly outcomes: ReadonlyMap<StepId, Outcome>;
  /** Steps whose effect is gone: whatever depends on them needs them to run again. A push among them runs again in any case. */
  readonly lost: ReadonlySet<StepId>;
}

/** True for a step that starts a service, which goes with its run. */
export function isService(step: Step): boolean {
  return step.kind === 'cmd' && step.detach;
}

/** All that each step needs, directly or not. */
export function listAncestors({ steps }: Plan): ReadonlyMap<StepId, ReadonlySet<StepId>> {
  const all = new Map<StepId, ReadonlySet<StepId>>();
  for (const { id, needs } of steps) all.set(id, new Set(needs.flatMap((need) => [need, ...(all.get(need) ?? [])])));
  return all;
}

/**
 * The cmd steps whose effect is not in a new run: that on the workspace where it was not kept; what was made by the engine socket, or kept as a
 * container, which went with the run; and what was done to a service, which is started anew.
 */
export function findLostCommands(plan: Plan, isWorkspaceKept: boolean): ReadonlySet<StepId> {
  const ancestors = listAncestors(plan);
  const services = new Set(plan.steps.filter(isService).map(({ id }) => id));
  const lost = plan.steps.filter((step) => {
    if (step.kind !== 'cmd') return false;
    const hadService = [...(ancestors.get(step.id) ?? [])].some((id) => services.has(id));
    return !isWorkspaceKept || step.usesEngine || step.keep || hadService;
  });
  return new Set(lost.map(({ id }) => id));
}

/** A push takes images and the outputs that it reads; any other step also finds whatever the steps before it have left. */
function usesEffectOf(user: Step, source: Step): boolean {
  if (user.kind !== 'push') return true;
  const makesImages = source.kind === 'build' || (source.kind === 'cmd' && source.usesEngine);
  return makesImages || (user.reads ?? []).some(({ step }) => step === source.id);
}

/** The choice of the steps that run, as far as it is made. */
interface Choice {
  readonly earlier: EarlierRun;
  readonly steps: ReadonlyMap<StepId, Step>;
  readonly ancestors: ReadonlyMap<StepId, ReadonlySet<StepId>>;
  readonly again: Set<StepId>;
}

/** True for a step that was skipped and will be again: of all that it needs, services alone run again, and its condition is still not met. */
function staysSkipped(step: Step, { earlier, steps, again }: Choice): boolean {
  if (earlier.outcomes.get(step.id)?.kind !== 'skipped') return false;
  const needs = step.needs.flatMap((id): readonly Ended[] => {
    const need = steps.get(id);
    const outcome = again.has(id) ? { kind: 'succeeded' as const } : earlier.outcomes.get(id);
    return need && outcome ? [{ step: need, outcome, hasFailed: false }] : [];
  });
  return findUnmet(step, needs) !== undefined;
}

/** True when a step that runs depends on what this one did. */
function isWanted(step: Step, { steps, ancestors, again }: Choice): boolean {
  return [...again].some((id) => {
    const user = steps.get(id);
    return user !== undefined && ancestors.get(id)?.has(step.id) === true && usesEffectOf(user, step);
  });
}

function mustRun(step: Step, choice: Choice): boolean {
  const { earlier, steps, again } = choice;
  const outcome = earlier.outcomes.get(step.id);
  const isChanged = step.needs.some((id) => {
    const need = steps.get(id);
    return again.has(id) && need !== undefined && !isService(need);
  });
  if (isChanged || isService(step)) return true;
  if (outcome?.kind === 'skipped') return !staysSkipped(step, choice);
  if (outcome === undefined || hasFailed(step, outcome)) return true;
  return earlier.lost.has(step.id) && (step.kind === 'push' || isWanted(step, choice));
}

/**
 * Chooses the steps of an earlier run that a new run of its plan takes over: those that succeeded (or whose failure is ignored), as long as all
 * that they need is taken over as well, so that nothing stands on what has been made anew, and as long as nothing that runs depends on an
 * effect that is gone. Services are started again, for what runs; what a step did to a service is lost with it. Resolves nothing, looks at
 * nothing: a pure choice, in the order of the ends.
 */
export function chooseTaken(earlier: EarlierRun): ReadonlyMap<StepId, Outcome> {
  const steps = new Map(earlier.plan.steps.map((step) => [step.id, step]));
  const choice: Choice = { earlier, steps, ancestors: listAncestors(earlier.plan), again: new Set() };
  let size = -1;
  while (size !== choice.again.size) {
    size = choice.again.size;
    for (const step of earlier.plan.steps) if (mustRun(step, choice)) choice.again.add(step.id);
  }
  return new Map([...earlier.outcomes].filter(([id]) => steps.has(id) && !choice.again.has(id)));
}

/** True when the workspace that a run of these outcomes has left would save a run that goes on from there a cmd step. */
export function isWorkspaceWanted(plan: Plan, outcomes: ReadonlyMap<StepId, Outcome>): boolean {
  const taken = chooseTaken({ plan, outcomes, lost: findLostCommands(plan, true) });
  return plan.steps.some((step) => step.kind === 'cmd' && taken.get(step.id)?.kind === 'succeeded');
}

type CarriedEvent = Extract<RunEvent, { kind: 'image-pushed' | 'dependencies-found' | 'step-ended' }>;

/**
 * The events that carry taken steps into the run that takes them, in their order: images and dependencies, so that they are the new run's
 * too, and each end with the run that the step was really done in. `from` is the run whose events these are.
 */
export function carryEvents(
  events: Iterable<SequencedEvent>,
  taken: ReadonlyMap<StepId, Outcome>,
  from: RunId,
): readonly RunEvent[] {
  let carried: CarriedEvent[] = [];
  for (const { seq: _, at: __, ...event } of events) {
    if (event.kind === 'run-planned') carried = [];
    else if (event.kind === 'dependencies-found') carried.push(event);
    else if (event.kind === 'image-pushed' || event.kind === 'step-ended')
      carried.push({ ...event, takenFrom: event.takenFrom ?? from });
  }
  return carried.filter(({ step }) => taken.has(step));
}
