import type { NotificationDone } from './ports.ts';

/** Carries what a handler said to the retry of its job. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain';
  readonly afterMs: number;

  constructor({ because, afterMs = 0 }: Exclude<NotificationDone, 'done'>) {
    super(because);
    this.afterMs = afterMs;
  }
}

/** Milliseconds to wait after the n-th try (n = 1, 2, …) ended with `error`; `random` is a number n, 0 ≤ n < 1. */
export function pauseAfter(tries: number, error: unknown, pauses: readonly number[], random: number): number {
  const pause = pauses[Math.min(tries, pauses.length) - 1] ?? 0;
  const varied = pause * (0.8 + 0.4 * random);
  return Math.round(Math.max(varied, error instanceof TryAgain ? error.afterMs : 0));
}
