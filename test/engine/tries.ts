import type { Outcome } from '../../src/domain/outcome.ts';
import type { AttemptPolicy, CmdStep } from '../../src/domain/step.ts';
import { createCmdStep, singleAttempt } from '../../src/domain/step-defaults.ts';
import type { RunTry, TryLog } from '../../src/engine/policy/retry.ts';
import type { StepIo } from '../../src/engine/ports.ts';

export const succeeded: Outcome = { kind: 'succeeded' };

/** A failure with this exit code, or with none. */
export function failed(exitCode?: number, message = `exit code ${exitCode}`): Outcome {
  return { kind: 'failed', ...(exitCode !== undefined && { exitCode }), message };
}

/** A cmd step that is tried as `attempts` says. */
export function tried(attempts: Partial<AttemptPolicy>, change: Partial<CmdStep> = {}): CmdStep {
  return createCmdStep('work', 'busybox', { attempts: { ...singleAttempt, ...attempts }, ...change });
}

/** Nothing is known of earlier tries, and nothing is noted of these. */
export const noTryLog: TryLog = { past: () => undefined, ended: () => {} };

/** An io that keeps what it is given, as `stream: text`. */
export function recordIo(): StepIo & { readonly lines: string[]; readonly images: string[] } {
  const lines: string[] = [];
  const images: string[] = [];
  return {
    lines,
    images,
    output: (stream, text) => lines.push(`${stream}: ${text}`),
    pushed: (image) => images.push(image.repository),
    builtOn: () => {},
  };
}

/** What a try writes to its standard output, and what it comes to; `wait`: it goes on until it is stopped. */
export type ScriptedTry = Outcome | 'wait' | ((io: StepIo) => Outcome);

function untilStopped(signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const end = (): void => {
      resolve({ kind: 'canceled', reason: 'stopped' });
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}

/** Tries that come to what the script says, in its order; the numbers of those made so far are in `attempts`. */
export function scriptTries(...script: ScriptedTry[]): { readonly runTry: RunTry; readonly attempts: number[] } {
  const attempts: number[] = [];
  const runTry: RunTry = async (_step, io, signal, attempt) => {
    const next = script[attempts.length];
    attempts.push(attempt);
    await Promise.resolve();
    if (next === undefined) throw new Error('one try too many');
    if (next === 'wait') return untilStopped(signal);
    return typeof next === 'function' ? next(io) : next;
  };
  return { runTry, attempts };
}

/** Lets everything happen that needs no time. */
export const settle = (): Promise<void> => new Promise(setImmediate);
