import { delay } from '../delay.ts';
import { describeStop, stopOf } from '../stop.ts';
import type { RunStep, Timer } from './timeout.ts';

/**
 * Waits a step's `startDelaySeconds` before its start. When the signal aborts meanwhile, the step is skipped: it never started.
 */
export function withStartDelay(runStep: RunStep, timer: Timer): RunStep {
  return async (step, signal) => {
    await delay(step.startDelaySeconds * 1000, timer, signal);
    const stopped = stopOf(signal);
    return stopped ? { kind: 'skipped', because: describeStop(stopped) } : runStep(step, signal);
  };
}
