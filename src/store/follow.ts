import type { SequencedEvent } from '../domain/event.ts';
import { toFailure } from '../domain/failure.ts';

/** Where {@link followEvents} gets a run's events from. */
export interface FollowSource {
  /**
   * The next events after `after`, at most `limit`. `isOver`: the run is final or unknown, and was so before the events were read;
   * so when there are none, none will ever come.
   */
  read(after: number, limit: number): Promise<{ readonly events: readonly SequencedEvent[]; readonly isOver: boolean }>;
  /** Calls `wake` whenever there may be something new, until the returned function is called. */
  listen(wake: () => void): Promise<() => Promise<void>>;
}

const pageEvents = 1000;
/** How soon a reader that had begun looks again when the store does not answer. */
const retryMs = 250;
const nothingYet = { events: [], isOver: false } as const;

/** Remembers that it was rung, so that a ring between looking and waiting is not lost. */
function createBell() {
  let isRung = false;
  let answer: (() => void) | undefined;
  return {
    ring: (): void => {
      isRung = true;
      answer?.();
    },
    mute: (): void => {
      isRung = false;
    },
    /** Resolves at once when rung since the last `mute`; after `ms` at the latest, when given. */
    heard: (ms?: number): Promise<void> =>
      new Promise((resolve) => {
        if (isRung) {
          resolve();
          return;
        }
        const timer = ms === undefined ? undefined : setTimeout(() => answer?.(), ms);
        answer = () => {
          clearTimeout(timer);
          answer = undefined;
          resolve();
        };
      }),
  };
}

type Bell = ReturnType<typeof createBell>;

/** Undefined: the store is away just now. */
async function readOn(source: FollowSource, after: number) {
  try {
    return await source.read(after, pageEvents);
  } catch (error) {
    if (toFailure(error).reason === 'redis-unavailable') return undefined;
    throw error;
  }
}

/** The events page by page, empty ones left out, until nothing can come any more; sleeps in between until the bell rings. */
async function* followPages(
  source: FollowSource,
  after: number,
  bell: Bell,
): AsyncGenerator<readonly SequencedEvent[]> {
  let last = after;
  let page = await source.read(last, pageEvents);
  for (;;) {
    if (page.events.length === 0 && page.isOver) return;
    if (page.events.length > 0) yield page.events;
    last = page.events.at(-1)?.seq ?? last;
    if (page.events.length < pageEvents) await bell.heard();
    bell.mute();
    const next = await readOn(source, last);
    if (!next) {
      await bell.heard(retryMs);
      bell.ring();
    }
    page = next ?? nothingYet;
  }
}

/** Gives the events of the pages until one is the run's end, or `isDone` says so. */
async function* untilEnd(pages: AsyncIterable<readonly SequencedEvent[]>, isDone: () => boolean) {
  if (isDone()) return;
  for await (const page of pages) {
    for (const event of page) {
      if (isDone()) return;
      yield event;
      if (event.kind === 'run-ended') return;
    }
  }
}

/**
 * A run's events after `after`, in order and without gaps, those that are there and those to come, until `run-ended` was given, nothing
 * can come any more, or `signal` aborts. When the store is away at the start it rejects with `redis-unavailable`; once it has read, it
 * waits and goes on by itself when the store is back.
 */
export async function* followEvents(
  source: FollowSource,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<SequencedEvent, void, undefined> {
  const bell = createBell();
  const isDone = (): boolean => signal.aborted;
  // Listening starts before the first look, so that nothing falls in between.
  const stopListening = await source.listen(bell.ring);
  signal.addEventListener('abort', bell.ring);
  try {
    yield* untilEnd(followPages(endWhen(isDone, source), after, bell), isDone);
  } finally {
    signal.removeEventListener('abort', bell.ring);
    await stopListening();
  }
}

/** The source, but over as soon as nobody wants more. */
function endWhen(isDone: () => boolean, source: FollowSource): FollowSource {
  const over = { events: [], isOver: true };
  return { ...source, read: async (after, limit) => (isDone() ? over : source.read(after, limit)) };
}
