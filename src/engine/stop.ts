/** Why work is stopped: the reason that an AbortSignal of the engine carries. */
export type Stop =
  | { readonly kind: 'canceled'; readonly by: string }
  | { readonly kind: 'run-timed-out'; readonly afterMs: number }
  | { readonly kind: 'step-timed-out'; readonly afterMs: number }
  | { readonly kind: 'sibling-failed'; readonly step: string }
  /** The worker is shutting down, or its engine went away: another attempt does the run. */
  | { readonly kind: 'handed-back'; readonly because: string }
  /** A later attempt has the run: nothing more may be written. */
  | { readonly kind: 'superseded' };

/** Stops what hangs on `controller`; the first reason stays. */
export function stop(controller: AbortController, reason: Stop): void {
  if (!controller.signal.aborted) controller.abort(reason);
}

/** The reason behind an aborted signal; undefined while it is not aborted. */
export function stopOf(signal: AbortSignal): Stop | undefined {
  return signal.aborted ? (signal.reason as Stop) : undefined;
}

/** A stop in words. */
export function describeStop(reason: Stop): string {
  switch (reason.kind) {
    case 'canceled':
      return `canceled by ${reason.by}`;
    case 'run-timed-out':
      return `the run's timeout of ${reason.afterMs / 1000} s passed`;
    case 'step-timed-out':
      return `the step's timeout of ${reason.afterMs / 1000} s passed`;
    case 'sibling-failed':
      return `step ${reason.step} failed`;
    case 'handed-back':
      return `handed back: ${reason.because}`;
    case 'superseded':
      return 'another worker has taken the run over';
  }
}
