import type { Outcome } from '../domain/outcome.ts';
import type { FinalStatus } from '../domain/run.ts';
import type { Plan, StepId } from '../domain/step.ts';
import { hasFailed } from './conditions.ts';
import { describeStop, stopOf } from './stop.ts';

/** What a run came to. */
export interface RunResult {
  readonly status: FinalStatus;
  readonly message?: string;
  /** The step that decided it: the first that really failed, with its exit code where it had one. Absent when no step did. */
  readonly failed?: { readonly step: StepId; readonly exitCode?: number };
}

/** What a step can come to that decides a run. */
type Bad = Extract<Outcome, { kind: 'failed' | 'timed-out' | 'canceled' }>;

/** The first step, in the order of the ends, that failed by itself: what is skipped or stopped after it only follows its fate. */
function findCulprit(plan: Plan, outcomes: ReadonlyMap<StepId, Outcome>): readonly [StepId, Bad] | undefined {
  const steps = new Map(plan.steps.map((step) => [step.id, step]));
  for (const [id, outcome] of outcomes) {
    const step = steps.get(id);
    if (outcome.kind === 'succeeded' || outcome.kind === 'skipped') continue;
    if (step && hasFailed(step, outcome)) return [id, outcome];
  }
  return undefined;
}

function sayOutcome(step: StepId, outcome: Bad): string {
  switch (outcome.kind) {
    case 'failed':
      return `step ${step} failed: ${outcome.message}`;
    case 'timed-out':
      return `step ${step} was stopped: its timeout of ${outcome.afterMs / 1000} s passed`;
    case 'canceled':
      return `step ${step} was canceled: ${outcome.reason}`;
  }
}

/**
 * The result of a run: what stopped it from outside comes first, then the first failure that is not ignored, whatever the steps that ran
 * because of it came to. `outcomes` are in the order in which the steps ended.
 */
export function resultOf(plan: Plan, outcomes: ReadonlyMap<StepId, Outcome>, signal: AbortSignal): RunResult {
  const reason = stopOf(signal);
  if (reason) {
    return { status: reason.kind === 'run-timed-out' ? 'Timeout' : 'Canceled', message: describeStop(reason) };
  }
  const culprit = findCulprit(plan, outcomes);
  if (!culprit) return { status: 'Succeeded' };
  const [step, outcome] = culprit;
  const exitCode = outcome.kind === 'failed' ? outcome.exitCode : undefined;
  return {
    status: outcome.kind === 'timed-out' ? 'Timeout' : 'Failed',
    message: sayOutcome(step, outcome),
    failed: { step, ...(exitCode !== undefined && { exitCode }) },
  };
}
