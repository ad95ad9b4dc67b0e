import type { SequencedEvent } from '../domain/event.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { StepId } from '../domain/step.ts';

/** A try of a step that is over. */
export interface EndedTry {
  readonly outcome: Outcome;
  /** Another try was to follow it. */
  readonly isRetried: boolean;
}

/** How far a step was when its worker was lost. */
export interface StepProgress {
  /** When it began, milliseconds since the epoch. */
  readonly startedAt: number;
  /** The number of the try that was begun last; undefined: none was. */
  readonly lastTry: number | undefined;
  /** By the number of the try. */
  readonly endedTries: ReadonlyMap<number, EndedTry>;
  /** Lines that its last try has written to the log. */
  readonly lines: Readonly<Record<'stdout' | 'stderr', number>>;
}

/** How far a run was when its worker was lost. */
export interface Progress {
  /** What steps came to, in the order of their ends. */
  readonly finished: ReadonlyMap<StepId, Outcome>;
  readonly steps: ReadonlyMap<StepId, StepProgress>;
}

interface Noted {
  startedAt: number;
  lastTry: number | undefined;
  readonly endedTries: Map<number, EndedTry>;
  lines: { stdout: number; stderr: number };
}

/**
 * Reads out of a run's events (in order, all of them) how far it is since it was last planned; undefined when it never was. It is the
 * events that count, not the record: only they tell a step's tries apart, and how much of its output has arrived.
 */
export function readProgress(events: Iterable<SequencedEvent>): Progress | undefined {
  const seen = { plan: false };
  const finished = new Map<StepId, Outcome>();
  const steps = new Map<StepId, Noted>();
  const note = (id: StepId, at: string): Noted => {
    const known = steps.get(id);
    if (known) return known;
    const noted = { startedAt: Date.parse(at), lastTry: undefined, endedTries: new Map(), lines: noLines() };
    steps.set(id, noted);
    return noted;
  };
  for (const event of events) {
    if (event.kind === 'run-planned') {
      seen.plan = true;
      finished.clear();
      steps.clear();
    } else if (event.kind === 'step-ended') finished.set(event.step, event.outcome);
    else if ('step' in event) takeStepEvent(note(event.step, event.at), event);
  }
  return seen.plan ? { finished, steps } : undefined;
}

const noLines = (): Noted['lines'] => ({ stdout: 0, stderr: 0 });

function takeStepEvent(step: Noted, event: SequencedEvent): void {
  if (event.kind === 'try-started') {
    step.lastTry = event.number;
    step.lines = noLines();
  } else if (event.kind === 'try-ended') {
    step.endedTries.set(event.number, { outcome: event.outcome, isRetried: event.isRetried });
  } else if (event.kind === 'output' && event.stream !== 'system') {
    step.lines[event.stream] += 1;
  }
}
