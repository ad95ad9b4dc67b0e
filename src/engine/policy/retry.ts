import type { OutputStream } from '../../domain/event.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { AttemptPolicy, Step } from '../../domain/step.ts';
import { singleAttempt } from '../../domain/step-defaults.ts';
import { delay } from '../delay.ts';
import type { StepIo } from '../ports.ts';
import type { EndedTry } from '../progress.ts';
import { describeStop, stopOf } from '../stop.ts';
import type { Timer } from './timeout.ts';

/** Does one try of a step; `attempt` is its number within the run. Rejects only when the runner itself failed. */
export type RunTry = (step: Step, io: StepIo, signal: AbortSignal, attempt: number) => Promise<Outcome>;

/** How often a step is tried. A push is tried once: it repeats its requests itself. */
export function attemptsOf(step: Step): AttemptPolicy {
  return step.kind === 'push' ? singleAttempt : step.attempts;
}

/** An io that also looks for texts in what the step writes. */
function watchOutput(io: StepIo, texts: readonly string[]): { io: StepIo; isSeen: (last: string) => boolean } {
  const keep = Math.max(0, ...texts.map((text) => text.length - 1));
  const tails = new Map<OutputStream, string>();
  let seen = false;
  const look = (stream: OutputStream, line: string): void => {
    const text = `${tails.get(stream) ?? ''}${line}\n`;
    seen ||= texts.some((one) => text.includes(one));
    tails.set(stream, keep === 0 ? '' : text.slice(-keep));
  };
  const output = (stream: OutputStream, text: string): void => {
    if (!seen && stream !== 'system') look(stream, text);
    io.output(stream, text);
  };
  return {
    io: {
      output,
      pushed: (image) => {
        io.pushed(image);
      },
      builtOn: (dependencies) => {
        io.builtOn(dependencies);
      },
    },
    isSeen: (last) => seen || texts.some((one) => last.includes(one)),
  };
}

/** One try, and whether another one makes sense after it. */
async function tryOnce(
  run: (io: StepIo) => Promise<Outcome>,
  io: StepIo,
  texts: readonly string[],
): Promise<{ readonly outcome: Outcome; readonly isRetryable: boolean }> {
  const watched = watchOutput(io, texts);
  const outcome = await run(texts.length > 0 ? watched.io : io);
  const isRetryable = outcome.kind === 'failed' && (texts.length === 0 || watched.isSeen(outcome.message));
  return { outcome, isRetryable };
}

/** What is written down of a step's tries, and what is known of them from before: of a run that was taken up again. */
export interface TryLog {
  /** How a try ended that was made before; undefined when it is yet to be made, or to be followed to its end. */
  past(step: Step, number: number): EndedTry | undefined;
  ended(step: Step, number: number, ended: EndedTry): void;
}

/**
 * Tries a failed step again, up to `retries` times, each `retryDelaySeconds` after the end of the last. Its tries are numbered from the
 * given attempt on. With `retryOnErrors`, only a try whose own output, or whose failure's message, contains one of the texts is followed
 * by another. When the signal aborts, also during a delay, the outcome is `canceled`.
 */
export function withRetry(runTry: RunTry, timer: Timer, log: TryLog): RunTry {
  return async (step, io, signal, first) => {
    const { retries, retryDelaySeconds, retryOnErrors } = attemptsOf(step);
    for (let count = 0; ; count += 1) {
      const number = first + count;
      const past = log.past(step, number);
      if (past && !past.isRetried) return past.outcome;
      if (past) continue;
      const run = (own: StepIo): Promise<Outcome> => runTry(step, own, signal, number);
      const { outcome, isRetryable } = await tryOnce(run, io, retryOnErrors);
      const isRetried = outcome.kind === 'failed' && isRetryable && count < retries;
      log.ended(step, number, { outcome, isRetried });
      if (!isRetried) return outcome;
      const what = `try ${count + 1} of ${retries + 1} failed: ${outcome.message}`;
      if (!signal.aborted) io.output('system', `${what}; the next one starts in ${retryDelaySeconds} s`);
      await delay(retryDelaySeconds * 1000, timer, signal);
      const stopped = stopOf(signal);
      if (stopped) return { kind: 'canceled', reason: describeStop(stopped) };
    }
  };
}
