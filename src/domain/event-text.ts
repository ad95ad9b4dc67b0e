import type { SequencedEvent } from './event.ts';
import type { Outcome } from './outcome.ts';
import type { FinalStatus, OutputImage, RunId } from './run.ts';
import type { StepId } from './step.ts';

/** What a line says beyond its event: whose run it is, and when it and its steps began (ISO 8601), as far as that is known. */
export interface EventContext {
  readonly runId: RunId;
  readonly startTime?: string | undefined;
  readonly stepStartTimes?: ReadonlyMap<StepId, string>;
}

/** A length of time for people: `0.4s`, `19s`, `2m5s`, `1h0m3s`. Below ten seconds with one decimal, never negative. */
export function formatElapsed(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${Math.round(seconds * 10) / 10}s`;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return `${hours > 0 ? `${hours}h` : ''}${whole >= 60 ? `${minutes}m` : ''}${whole % 60}s`;
}

/** ` after 19s`, or nothing when the beginning is not known. */
function after(start: string | undefined, end: string): string {
  return start === undefined ? '' : ` after ${formatElapsed(Date.parse(end) - Date.parse(start))}`;
}

const endings: Readonly<Record<FinalStatus, string>> = {
  Succeeded: 'was successful',
  Failed: 'failed',
  Canceled: 'was canceled',
  Error: 'could not be completed',
  Timeout: 'timed out',
};

function renderStart(worker: string, attempt: number): string {
  return `Started on worker ${worker}${attempt > 1 ? ` (attempt ${attempt})` : ''}`;
}

/** `registry/repository[:tag]@digest` */
export function formatOutputImage(image: OutputImage): string {
  return `${image.registry}/${image.repository}${image.tag === undefined ? '' : `:${image.tag}`}@${image.digest}`;
}

function renderRunEnd(event: SequencedEvent & { kind: 'run-ended' }, context: EventContext): string {
  const text = `Run ID: ${context.runId} ${endings[event.status]}${after(context.startTime, event.at)}`;
  if (event.message === undefined || event.status === 'Succeeded') return text;
  return event.status === 'Canceled' ? `${text}: ${event.message}` : `${text}. Error: ${event.message}`;
}

function renderStepEnd(id: StepId, outcome: Outcome, elapsed: string): string {
  switch (outcome.kind) {
    case 'succeeded':
      return `Step ${id} succeeded${elapsed}`;
    case 'failed':
      return `Step ${id} failed${elapsed}: ${outcome.message}`;
    case 'timed-out':
      return `Step ${id} was stopped: it took longer than ${formatElapsed(outcome.afterMs)}`;
    case 'canceled':
      return `Step ${id} was canceled${elapsed}: ${outcome.reason}`;
    case 'skipped':
      return `Step ${id} was skipped: ${outcome.because}`;
  }
}

/**
 * The line of a run's text log that an event stands for, without its line end; undefined for events that have none.
 * The first and the last line are those that Azure's clients show (acr-tasks.md §3.2).
 */
export function renderEvent(event: SequencedEvent, context: EventContext): string | undefined {
  const render = renderers[event.kind] as (event: SequencedEvent, context: EventContext) => string | undefined;
  return render(event, context);
}

const nothing = (): undefined => undefined;

type EventOf<Kind extends SequencedEvent['kind']> = Extract<SequencedEvent, { kind: Kind }>;

const renderers: {
  readonly [Kind in SequencedEvent['kind']]: (event: EventOf<Kind>, context: EventContext) => string | undefined;
} = {
  'run-queued': (_, { runId }) => `Queued a run with ID: ${runId}`,
  'run-started': ({ worker, attempt }) => renderStart(worker, attempt),
  'run-planned': nothing,
  'step-started': ({ step }) => `Step ${step} started`,
  'try-started': nothing,
  output: ({ text }) => text,
  'try-ended': nothing,
  'step-ended': ({ step, outcome, at, takenFrom }, context) =>
    takenFrom === undefined
      ? renderStepEnd(step, outcome, after(context.stepStartTimes?.get(step), at))
      : `${renderStepEnd(step, outcome, '')} (taken from run ${takenFrom})`,
  'image-pushed': ({ image, takenFrom }) =>
    `Pushed ${formatOutputImage(image)}${takenFrom === undefined ? '' : ` in run ${takenFrom}`}`,
  'dependencies-found': nothing,
  'run-ended': renderRunEnd,
};

/**
 * A renderer for one run's events in order: it remembers when the run and its steps began. Made with `startTime` where the reader
 * joins after the run's start.
 */
export function createEventRenderer(runId: RunId, startTime?: string): (event: SequencedEvent) => string | undefined {
  const stepStartTimes = new Map<StepId, string>();
  let began = startTime;
  return (event) => {
    if (event.kind === 'run-started') began ??= event.at;
    if (event.kind === 'step-started') stepStartTimes.set(event.step, event.at);
    return renderEvent(event, { runId, startTime: began, stepStartTimes });
  };
}
