import type { Outcome } from '../../domain/outcome.ts';
import { describeStop, stopOf } from '../stop.ts';
import { attemptsOf, type RunTry } from './retry.ts';

type Failed = Outcome & { readonly kind: 'failed' };

/** All failures in one: the first exit code, and every message; undefined when there are none. */
function joinFailures(
  failures: readonly (readonly [run: number, failure: Failed])[],
  runs: number,
): Outcome | undefined {
  const [first] = failures;
  if (!first) return undefined;
  if (runs === 1) return first[1];
  const exitCode = failures.find(([, failure]) => failure.exitCode !== undefined)?.[1].exitCode;
  const message = failures.map(([run, failure]) => `run ${run} of ${runs}: ${failure.message}`).join(', ');
  return { kind: 'failed', ...(exitCode !== undefined && { exitCode }), message };
}

/**
 * Runs a step `repeat` times more, one after the other, also after a failed run; the step fails when one of its runs did, and has the
 * outputs of the last one. Each run has retries of its own, and its tries have numbers that no other run's have. Ends early when a run was
 * stopped, or the signal has aborted.
 */
export function withRepeat(runTry: RunTry): RunTry {
  return async (step, io, signal, first) => {
    const { repeat, retries } = attemptsOf(step);
    const failures: [number, Failed][] = [];
    let last: Outcome = { kind: 'succeeded' };
    for (let run = 0; run <= repeat; run += 1) {
      const stopped = run > 0 ? stopOf(signal) : undefined;
      if (stopped) return { kind: 'canceled', reason: describeStop(stopped) };
      const outcome = await runTry(step, io, signal, first + run * (retries + 1));
      if (outcome.kind === 'failed') failures.push([run + 1, outcome]);
      else if (outcome.kind !== 'succeeded') return outcome;
      else last = outcome;
    }
    return joinFailures(failures, repeat + 1) ?? last;
  };
}
