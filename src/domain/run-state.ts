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

/** An attempt begins: what an earlier one did is forgotten, but not when the first began. */
function startRun(run: Run, { attempt, worker }: EventOf<'run-started'>, at: string): Run {
  const startTime = run.startTime ?? at;
  return { ...run, status: 'Started', startTime, attempt, worker, steps: [], outputImages: [] };
}

function endRun(run: Run, { status, message }: EventOf<'run-ended'>, at: string): Run {
  return { ...withoutSecrets(run), status, finishTime: at, ...(message !== undefined && { runErrorMessage: message }) };
}

/**
 * What a run's record is after `event` happened at `at` (ISO 8601, UTC). The record is nothing but its events applied in order;
 * output changes nothing.
 */
export function applyEvent(run: Run, event: RunEvent, at: string): Run {
  const touched = { ...run, lastUpdatedTime: at };
  switch (event.kind) {
    case 'run-queued':
      return { ...touched, status: 'Queued' };
    case 'run-started':
      return startRun(touched, event, at);
    case 'run-planned':
      return { ...touched, status: 'Running', steps: event.steps };
    case 'step-started':
      return { ...touched, steps: changeStep(run.steps, event.step, { startTime: at }) };
    case 'step-ended':
      return { ...touched, steps: changeStep(run.steps, event.step, { finishTime: at, outcome: event.outcome }) };
    case 'image-pushed':
      return { ...touched, outputImages: [...run.outputImages, event.image] };
    case 'dependencies-found':
      return { ...touched, dependencies: [...(run.dependencies ?? []), ...event.dependencies] };
    case 'run-ended':
      return endRun(touched, event, at);
    case 'output':
      return run;
  }
}
