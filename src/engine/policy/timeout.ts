import type { Outcome } from '../../domain/outcome.ts';
import type { Step } from '../../domain/step.ts';
import { stop, stopOf } from '../stop.ts';

/** Does one step; the shape that policies wrap. Rejects only when the runner itself failed. */
export type RunStep = (step: Step, signal: AbortSignal) => Promise<Outcome>;

/** Calls `then` after `ms`; the returned function takes it back. Handed in, so that tests own time. */
export type Timer = (ms: number, then: () => void) => () => void;

/** The longest time that the host's timers take; more would fire at once. */
const maxHostMs = 2 ** 31 - 1;

/** The host's timer, for any length of time. It keeps the process alive until it has fired or is taken back. */
export const hostTimer: Timer = (ms, then) => {
  let handle: NodeJS.Timeout;
  const arm = (left: number): void => {
    const now = Math.min(left, maxHostMs);
    handle = setTimeout(() => {
      if (left > now) arm(left - now);
      else then();
    }, now);
  };
  arm(ms);
  return () => clearTimeout(handle);
};

/**
 * Stops a step when its `timeoutSeconds` have passed, over all of its tries; its outcome is then `timed-out`, once its work has really ended.
 * `elapsedMs` says how much of its time a step has had already: of a run that was taken up again.
 */
export function withTimeout(runStep: RunStep, timer: Timer, elapsedMs: (step: Step) => number = () => 0): RunStep {
  return async (step, signal) => {
    const afterMs = step.timeoutSeconds * 1000;
    const own = new AbortController();
    const cancel = timer(Math.max(0, afterMs - elapsedMs(step)), () => {
      stop(own, { kind: 'step-timed-out', afterMs });
    });
    try {
      const outcome = await runStep(step, AbortSignal.any([signal, own.signal]));
      const isTimedOut = outcome.kind === 'canceled' && stopOf(own.signal) !== undefined && !signal.aborted;
      return isTimedOut ? { kind: 'timed-out', afterMs } : outcome;
    } finally {
      cancel();
    }
  };
}
