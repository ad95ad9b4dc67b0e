import type { Step } from '../domain/step.ts';
import type { StepIo } from './ports.ts';
import { withRepeat } from './policy/repeat.ts';
import { withRetry, type RunTry, type TryLog } from './policy/retry.ts';
import { withStartDelay } from './policy/start-delay.ts';
import { withTimeout, type RunStep, type Timer } from './policy/timeout.ts';

/** What the policies of a run's steps need. */
export interface PolicyOptions {
  readonly timer: Timer;
  readonly ioOf: (step: Step) => StepIo;
  /** Called when a step really starts: after its delay, before its first try. */
  readonly onStart: (step: Step) => void;
  readonly tries: TryLog;
  /** Milliseconds since a step began; undefined for one that is yet to begin. */
  readonly elapsedMs: (step: Step) => number | undefined;
}

/**
 * Puts all policies around a runner's tries, from the outside in: the start delay, which counts nowhere; the start itself; one deadline
 * over everything further in; the repeats; the retries of each repeat. `ignoreErrors` wraps nothing: the graph applies it to the outcome.
 * A step that had begun before goes on where it was: without delay, and with what is left of its time.
 */
export function applyPolicies(runTry: RunTry, { timer, ioOf, onStart, tries, elapsedMs }: PolicyOptions): RunStep {
  const allTries = withRepeat(withRetry(runTry, timer, tries));
  const timed = withTimeout(
    (step, signal) => allTries(step, ioOf(step), signal, 1),
    timer,
    (step) => elapsedMs(step) ?? 0,
  );
  const start: RunStep = (step, signal) => {
    onStart(step);
    return timed(step, signal);
  };
  const delayed = withStartDelay(start, timer);
  return (step, signal) => (elapsedMs(step) === undefined ? delayed : timed)(step, signal);
}
