import type { Outcome } from '../domain/outcome.ts';
import type { Plan, Step, StepId } from '../domain/step.ts';
import type { RunStep } from './policy/timeout.ts';
import { describeStop, stop, stopOf } from './stop.ts';

export interface ExecuteOptions {
  readonly runStep: RunStep;
  /** Aborts with a {@link Stop} as its reason. */
  readonly signal: AbortSignal;
  readonly onStart: (step: Step) => void;
  readonly onEnd: (step: Step, outcome: Outcome) => void;
}

/**
 * Executes a plan's graph: a step starts the moment the last step it needs has succeeded; the first that does not succeed stops all
 * others. Every step ends with an outcome (`skipped` where it never started), in `onEnd` and in the result.
 * Rejects when the runner itself failed, after everything that was running has ended.
 */
export async function executePlan(plan: Plan, options: ExecuteOptions): Promise<ReadonlyMap<StepId, Outcome>> {
  const halt = new AbortController();
  const signal = AbortSignal.any([options.signal, halt.signal]);
  const steps = new Map(plan.steps.map((step) => [step.id, step]));
  const nodes = new Map<StepId, Promise<Outcome>>();
  const errors: unknown[] = [];

  const attempt = async (step: Step): Promise<Outcome> => {
    options.onStart(step);
    try {
      return await options.runStep(step, signal);
    } catch (error) {
      errors.push(error);
      return { kind: 'failed', message: 'the step could not be run' };
    }
  };
  const visit = async (step: Step): Promise<Outcome> => {
    const needs = await Promise.all(step.needs.map(async (id) => ({ id, outcome: await node(id) })));
    const unmet = needs.find((need) => need.outcome.kind !== 'succeeded');
    const stopped = stopOf(signal);
    const because = unmet ? `step ${unmet.id} did not succeed` : stopped && describeStop(stopped);
    const outcome: Outcome = because === undefined ? await attempt(step) : { kind: 'skipped', because };
    if (outcome.kind !== 'succeeded') stop(halt, { kind: 'sibling-failed', step: step.id });
    options.onEnd(step, outcome);
    return outcome;
  };
  const node = (id: StepId): Promise<Outcome> => {
    const step = steps.get(id);
    const known = nodes.get(id) ?? (step ? visit(step) : Promise.reject(new Error(`the plan has no step ${id}`)));
    nodes.set(id, known);
    return known;
  };

  const outcomes = await Promise.all(plan.steps.map(async (step) => [step.id, await node(step.id)] as const));
  if (errors.length > 0) throw errors[0];
  return new Map(outcomes);
}
