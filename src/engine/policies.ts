import type { Step } from '../domain/step.ts';
import type { StepIo } from './ports.ts';
import { withRepeat } from './policy/repeat.ts';
import { withRetry, type RunTry } from './policy/retry.ts';
import { withStartDelay } from './policy/start-delay.ts';
import { withTimeout, type RunStep, type Timer } from './policy/timeout.ts';

/** What the policies of a run's steps need. */
export interface PolicyOptions {
  readonly timer: Timer;
  readonly ioOf: (step: Step) => StepIo;
  /** Called when a step really starts: after its delay, before its first try. */
  readonly onStart: (step: Step) => void;
}

/**
 * Puts all policies around a runner's tries, from the outside in: the start delay, which counts nowhere; the start itself; one deadline
 * over everything further in; the repeats; the retries of each repeat. `ignoreErrors` wraps nothing: the graph applies it to the outcome.
 */
export function applyPolicies(runTry: RunTry, { timer, ioOf, onStart }: PolicyOptions): RunStep {
  const tries = withRepeat(withRetry(runTry, timer));
  const timed = withTimeout((step, signal) => tries(step, ioOf(step), signal, 1), timer);
  return withStartDelay((step, signal) => {
    onStart(step);
    return timed(step, signal);
  }, timer);
}
