import type { RunEvent } from './event.ts';
import type { Run, StepRecord } from './run.ts';
import type { StepId } from './step.ts';

function changeStep(steps: readonly StepRecord[], id: StepId, change: Partial<StepRecord>): readonly StepRecord[] {
  return steps.map((step) => (step.id === id ? { ...step, ...change } : step));
}

function withoutSecrets(run: Run): Run {
  const { sealedSecrets: _, ...rest } = run;
  return rest;
}

type EventOf<Kind extends RunEvent['kind']> = Extract<RunEvent, { kind: Kind }>;

/** The run waits for a worker: whoever takes it begins anew. */
function queueRun({ plannedAttempt: _, ...run }: Run): Run {
  return { ...run, status: 'Queued' };
}

/** An attempt begins. What an earlier one did counts until a new plan is made. */
function startRun(run: Run, { attempt, worker }: EventOf<'run-started'>, at: string): Run {
  return {
    ...run,
    status: run.plannedAttempt === undefined ? 'Started' : 'Running',
    startTime: run.startTime ?? at,
    attempt,
    worker,
  };
}

function planRun({ dependencies: _, ...run }: Run, { steps }: EventOf<'run-planned'>): Run {
  return { ...run, status: 'Running', plannedAttempt: run.attempt, steps, outputImages: [] };
}

function endRun(run: Run, { status, message }: EventOf<'run-ended'>, at: string): Run {
  return { ...withoutSecrets(run), status, finishTime: at, ...(message !== undefined && { runErrorMessage: message }) };
}

/**
 * What a run's record is after `event` happened at `at` (ISO 8601, UTC). The record is nothing but its events applied in order;
 * output changes nothing.
 */
export function applyEvent(run: Run, event: RunEvent, at: string): Run {
  const change = changes[event.kind] as ((run: Run, event: RunEvent, at: string) => Run) | undefined;
  return change ? change({ ...run, lastUpdatedTime: at }, event, at) : run;
}

/** What an event does to a record; nothing where there is no entry. */
const changes: {
  readonly [Kind in RunEvent['kind']]: ((run: Run, event: EventOf<Kind>, at: string) => Run) | undefined;
} = {
  'run-queued': queueRun,
  'run-started': startRun,
  'run-planned': planRun,
  'step-started': (run, { step }, at) => ({ ...run, steps: changeStep(run.steps, step, { startTime: at }) }),
  'step-ended': (run, { step, outcome, takenFrom }, at) => ({
    ...run,
    steps: changeStep(run.steps, step, { finishTime: at, outcome, ...(takenFrom !== undefined && { takenFrom }) }),
  }),
  'image-pushed': (run, { image }) => ({ ...run, outputImages: [...run.outputImages, image] }),
  'dependencies-found': (run, { dependencies }) => ({
    ...run,
    dependencies: [...(run.dependencies ?? []), ...dependencies],
  }),
  'run-ended': endRun,
  'try-started': undefined,
  'try-ended': undefined,
  output: undefined,
};
