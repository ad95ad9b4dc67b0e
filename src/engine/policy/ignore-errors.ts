import type { Outcome } from '../../domain/outcome.ts';
import type { Step } from '../../domain/step.ts';

/**
 * Whether an outcome is a failure that the step's `ignoreErrors` forgives. The outcome itself stays what it was, so that log and record
 * show what happened; the graph and the run's result take it for success. A stopped step is not forgiven: its work was cut short from outside.
 */
export function isIgnored(step: Step, outcome: Outcome): boolean {
  return step.ignoreErrors && (outcome.kind === 'failed' || outcome.kind === 'timed-out');
}
