import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../domain/clock.ts';
import { readRetryAfter } from './headers.ts';
import type { Answer, AskRegistry, RegistryRequest } from './ports.ts';
import { mayPass } from './refusal.ts';
import { discard } from './small-body.ts';

export interface RetryOptions {
  readonly clock: Clock;
  /** Tries of one request; 4 when left out. */
  readonly tries?: number;
  /** The longest pause that a registry may ask for before it is told to the caller, milliseconds; 60 s when left out. */
  readonly maxPauseMs?: number;
  /** 0 ≤ n < 1; `Math.random` when left out. */
  readonly random?: () => number;
  /** Waits so many milliseconds; rejects with the signal's reason. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

const firstPauseMs = 500;
/** Before it is varied. */
const longestPauseMs = 8000;
const busy = new Set([408, 429, 500, 502, 503, 504]);
const harmless = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

export async function sleepFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await wait(ms, undefined, { ...(signal && { signal }), ref: true });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Milliseconds before the n-th further try (n = 1, 2, …): doubled as far as it goes, varied by a half so that many do not come at once. */
export function pauseMs(tries: number, random: number): number {
  return Math.round(Math.min(firstPauseMs * 2 ** (tries - 1), longestPauseMs) * (0.5 + random));
}

/**
 * Tries of what a run asks our own registry for: it is away for a while when it starts again. All the pauses between them take half a minute
 * at least, and a minute and a half at most.
 */
export const patientTries = 12;

/** The pauses between {@link patientTries}, milliseconds. */
export function patientPauses(random: () => number): readonly number[] {
  return Array.from({ length: patientTries - 1 }, (_, at) => pauseMs(at + 1, random()));
}

/** A registry that is busy has not begun to do what it was asked for, so that a POST may come again too then. */
function isRepeatable({ method, isOnce }: RegistryRequest, status?: number): boolean {
  return isOnce !== true && (harmless.has(method) || status === 429);
}

/**
 * Asks again, a few times and with growing pauses, where that does no harm and may help: after 429 and the statuses of a registry's own
 * trouble, and when the connection fails. `Retry-After` is heeded; one that asks for too much is an answer like others.
 */
export function withRetries(ask: AskRegistry, options: RetryOptions): AskRegistry {
  const { clock, tries: most = 4, maxPauseMs = 60_000, random = Math.random, sleep = sleepFor } = options;
  const pauseAfter = (answer: Answer, tries: number): number | undefined => {
    if (tries >= most || !busy.has(answer.status)) return undefined;
    const asked = readRetryAfter(answer.headers, clock.now()) ?? 0;
    return asked > maxPauseMs ? undefined : Math.max(asked, pauseMs(tries, random()));
  };
  const askOnce = async (request: RegistryRequest, tries: number): Promise<Answer | { readonly pause: number }> => {
    const isHarmless = isRepeatable(request);
    try {
      const answer = await ask(request);
      const pause =
        isHarmless || (answer.status === 429 && request.isOnce !== true) ? pauseAfter(answer, tries) : undefined;
      if (pause === undefined) return answer;
      discard(answer);
      return { pause };
    } catch (error) {
      request.signal?.throwIfAborted();
      if (!isHarmless || tries >= most || !mayPass(error)) throw error;
      return { pause: pauseMs(tries, random()) };
    }
  };
  return async (request) => {
    for (let tries = 1; ; tries += 1) {
      const came = await askOnce(request, tries);
      if ('status' in came) return came;
      await sleep(came.pause, request.signal);
    }
  };
}
