import { fail, FailureError } from '../domain/failure.ts';

/** One time limit and the caller's signal, over a request and its body. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Rejects as soon as the time is up or the caller aborts, though `work` cannot be interrupted itself. */
  race<T>(work: Promise<T>): Promise<T>;
  /** What an error of the network stands for: the caller's abort reason, `timed-out`, or `source-unavailable`. */
  explain(error: unknown, host: string): unknown;
}

export function createDeadline(timeoutMs: number, caller: AbortSignal | undefined): Deadline {
  const timer = AbortSignal.timeout(timeoutMs);
  const signal = caller === undefined ? timer : AbortSignal.any([caller, timer]);
  return {
    signal,
    race: (work) => raceWith(signal, work),
    explain: (error, host) => {
      if (caller?.aborted === true) return caller.reason as unknown;
      if (timer.aborted) return fail('timed-out', `${host} did not answer in full within ${String(timeoutMs)} ms`);
      if (error instanceof FailureError) return error;
      return fail('source-unavailable', `the connection to ${host} failed: ${wordsOf(error)}`, { cause: error });
    },
  };
}

async function raceWith<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(new Error('aborted', { cause: signal.reason }));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The error's code where it has one: messages of TLS and sockets can hold addresses and certificates. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
