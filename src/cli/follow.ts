import { setTimeout as sleep } from 'node:timers/promises';
import { FailureError, fail } from '../domain/failure.ts';
import type { SequencedEvent } from '../domain/event.ts';
import { isPassing } from './api-call.ts';
import type { RunReader } from './api-types.ts';

export interface FollowOptions {
  /** Ends the following, and nothing else. */
  readonly signal: AbortSignal;
  /** Hears once of each loss of the connection. */
  readonly onLost?: () => void;
  /** Milliseconds before the first new try; doubled up to 5 s. */
  readonly backoffMs?: number;
  /** How many tries in a row may fail. */
  readonly maxTries?: number;
}

const longestWaitMs = 5000;

/** A broken connection comes as whatever the stream threw; an answer of the server as a FailureError, which may pass or not. */
function isWorthRetrying(error: unknown): boolean {
  return !(error instanceof FailureError) || isPassing(error) || error.failure.reason === 'rate-limited';
}

async function pause(tries: number, { backoffMs = 250, signal, onLost }: FollowOptions): Promise<void> {
  if (tries === 1) onLost?.();
  await sleep(Math.min(longestWaitMs, backoffMs * 2 ** (tries - 1)), undefined, { signal }).catch(() => undefined);
}

/** How far the following of a run has come. */
interface Position {
  last: number;
  hasEnded: boolean;
  /** Connections in a row that brought nothing. */
  tries: number;
}

/** What one connection brings that was not there before. */
async function* readConnection(
  client: RunReader,
  id: string,
  at: Position,
  signal: AbortSignal,
): AsyncGenerator<SequencedEvent> {
  for await (const message of client.events(id, at.last, signal)) {
    at.tries = 0;
    at.hasEnded = 'end' in message || message.event.kind === 'run-ended';
    if ('end' in message) return;
    if (message.event.seq > at.last) {
      at.last = message.event.seq;
      yield message.event;
    }
    if (at.hasEnded) return;
  }
}

/**
 * The events of a run from its first on, each once and in order, until it has ended or the signal aborts. Lost connections are made
 * again behind the last event that came.
 * @throws what the server answered, or `server-unreachable` when it stays away.
 */
export async function* followRun(
  client: RunReader,
  id: string,
  options: FollowOptions,
): AsyncGenerator<SequencedEvent> {
  const { signal, maxTries = 30 } = options;
  const at: Position = { last: 0, hasEnded: false, tries: 0 };
  while (at.tries <= maxTries) {
    try {
      yield* readConnection(client, id, at, signal);
    } catch (error) {
      if (!signal.aborted && !isWorthRetrying(error)) throw error;
    }
    if (at.hasEnded || signal.aborted) return;
    at.tries += 1;
    await pause(at.tries, options);
    if (isAborted(signal)) return;
  }
  throw lostForGood(client, id);
}

/** A function, because the compiler takes a signal that was not aborted a moment ago for one that never is. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function lostForGood(client: RunReader, id: string): FailureError {
  const hint = `The run goes on. Follow it again with: slipway runs logs ${id} -f`;
  return fail('server-unreachable', `the connection to ${client.server} was lost and did not come back`, { hint });
}
