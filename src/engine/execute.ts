import type { Outcome } from '../domain/outcome.ts';
import type { Plan, Step, StepId } from '../domain/step.ts';
import { findUnmet, hasFailed, survivesFailure, type Ended } from './conditions.ts';
import { fillOutputs } from './outputs.ts';
import type { RunStep } from './policy/timeout.ts';
import { createSlots, type Slots } from './slots.ts';
import { describeStop, stop, stopOf } from './stop.ts';

export interface ExecuteOptions {
  readonly runStep: RunStep;
  /** Aborts with a {@link Stop} as its reason. */
  readonly signal: AbortSignal;
  readonly onEnd: (step: Step, outcome: Outcome) => void;
  /** How many steps may run at the same time, at least 1; undefined: any number. */
  readonly maxParallel?: number | undefined;
  /** What steps came to before, in the order of their ends: they are not run, and `onEnd` is not told of them again. */
  readonly finished?: ReadonlyMap<StepId, Outcome> | undefined;
}

interface Execution {
  readonly options: ExecuteOptions;
  readonly slots: Slots;
  /** Stops ordinary steps: one has failed. */
  readonly halt: AbortController;
  /** Stops every step: the runner itself failed. */
  readonly breakdown: AbortController;
  /** In the order in which the steps ended. */
  readonly outcomes: Map<StepId, Outcome>;
  readonly errors: unknown[];
}

/** Throws for a step that needs itself, a later step or none of the plan's: it could never start. So there are no circles. */
function checkOrder({ steps }: Plan): void {
  const above = new Set<StepId>();
  for (const { id, needs } of steps) {
    const missing = needs.find((need) => !above.has(need));
    if (missing !== undefined) throw new Error(`the plan has no step ${missing} above step ${id}`);
    if (above.has(id)) throw new Error(`the plan has two steps ${id}`);
    above.add(id);
  }
}

/** The signal that stops a step: that of the run, and for an ordinary step the failure of another as well. */
function signalOf(step: Step, { options, halt, breakdown }: Execution): AbortSignal {
  const lasting = [options.signal, breakdown.signal];
  return AbortSignal.any(survivesFailure(step) ? lasting : [...lasting, halt.signal]);
}

function end(step: Step, outcome: Outcome, { options, outcomes }: Execution): Outcome {
  outcomes.set(step.id, outcome);
  if (!options.finished?.has(step.id)) options.onEnd(step, outcome);
  return outcome;
}

/** Runners know that they were stopped; why is known here, in words that are the same for every kind of step. */
function explain(outcome: Outcome, signal: AbortSignal): Outcome {
  const stopped = outcome.kind === 'canceled' ? stopOf(signal) : undefined;
  return stopped ? { kind: 'canceled', reason: describeStop(stopped) } : outcome;
}

async function attempt(step: Step, signal: AbortSignal, execution: Execution): Promise<Outcome> {
  try {
    const filled = fillOutputs(step, execution.outcomes);
    if (!filled.ok) return filled.outcome;
    return explain(await execution.options.runStep(filled.step, signal), signal);
  } catch (error) {
    execution.errors.push(error);
    stop(execution.breakdown, { kind: 'sibling-failed', step: step.id });
    return { kind: 'failed', message: 'the step could not be run' };
  }
}

/** Runs a step, unless it was stopped while it waited; its failure has stopped the others before its slot is free for one of them. */
async function start(step: Step, signal: AbortSignal, execution: Execution): Promise<Outcome> {
  const earlier = execution.options.finished?.get(step.id);
  if (earlier) return earlier;
  const stopped = stopOf(signal);
  if (stopped) return end(step, { kind: 'skipped', because: describeStop(stopped) }, execution);
  const outcome = end(step, await attempt(step, signal, execution), execution);
  haltAfter(step, outcome, execution);
  return outcome;
}

function haltAfter(step: Step, outcome: Outcome, { halt }: Execution): void {
  if (hasFailed(step, outcome)) stop(halt, { kind: 'sibling-failed', step: step.id });
}

/** What was before: a failure stops the ordinary steps now as it did then. */
function recall(plan: Plan, execution: Execution): void {
  const { finished = new Map<StepId, Outcome>() } = execution.options;
  const steps = new Map(plan.steps.map((step) => [step.id, step]));
  for (const [id, outcome] of finished) {
    const step = steps.get(id);
    if (step === undefined) continue;
    execution.outcomes.set(id, outcome);
    if (outcome.kind !== 'skipped') haltAfter(step, outcome, execution);
  }
}

async function visit(step: Step, needed: readonly Promise<Ended>[], execution: Execution): Promise<Ended> {
  const needs = await Promise.all(needed);
  const because = findUnmet(step, needs);
  if (because !== undefined) {
    const outcome = end(step, { kind: 'skipped', because }, execution);
    return { step, outcome, hasFailed: needs.some((need) => need.hasFailed) };
  }
  const signal = signalOf(step, execution);
  const outcome = await execution.slots(() => start(step, signal, execution));
  return { step, outcome, hasFailed: hasFailed(step, outcome) };
}

/**
 * Executes a plan's graph: a step starts the moment the last step that it needs is over, if its conditions hold. The first failure that
 * is not ignored stops all ordinary steps, and none starts after it; steps with a condition of their own (`runOn`, exit codes) go on, and
 * still start: only the run's own signal stops them. Every step ends once with an outcome (`skipped`, with the reason, where it never
 * started), in `onEnd` and in the result, which is in the order of the ends.
 * Rejects when the runner itself failed, which stops all steps, after everything that was running has ended.
 */
export async function executePlan(plan: Plan, options: ExecuteOptions): Promise<ReadonlyMap<StepId, Outcome>> {
  checkOrder(plan);
  const execution: Execution = {
    options,
    slots: createSlots(options.maxParallel),
    halt: new AbortController(),
    breakdown: new AbortController(),
    outcomes: new Map(),
    errors: [],
  };
  recall(plan, execution);
  const nodes = new Map<StepId, Promise<Ended>>();
  for (const step of plan.steps) {
    const needed = step.needs.flatMap((id) => nodes.get(id) ?? []);
    nodes.set(step.id, visit(step, needed, execution));
  }
  await Promise.all(nodes.values());
  if (execution.errors.length > 0) throw execution.errors[0];
  return execution.outcomes;
}
