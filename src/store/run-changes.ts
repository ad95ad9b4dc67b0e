import type { RunEvent } from '../domain/event.ts';
import { fail } from '../domain/failure.ts';
import { isFinal, type Run, type RunId, type RunStatus } from '../domain/run.ts';
import { applyEvent } from '../domain/run-state.ts';
import type { NewRun } from './ports.ts';

/** What is to be written in one atomic step: the record as it is then, and the events that say why. */
export interface RunChange {
  readonly run: Run;
  readonly events: readonly RunEvent[];
}

/** Decides on the current record what is to be written; undefined: nothing. Throws `conflict` to refuse. Pure. */
export type Decide = (run: Run) => RunChange | undefined;

/** How far a run is, as far as writers care. */
export type RunPhase = 'queued' | 'active' | 'final';

export function phaseOf(run: Run): RunPhase {
  if (run.status === 'Queued') return 'queued';
  return isFinal(run.status) ? 'final' : 'active';
}

function change(run: Run, events: readonly RunEvent[], at: string): RunChange {
  return { run: events.reduce((before, event) => applyEvent(before, event, at), run), events };
}

/** The record of a new run, created at `at`, but for its name. */
export function newRecord(run: NewRun, at: string): Omit<Run, 'runId'> {
  return {
    status: 'Queued',
    runType: run.runType,
    createTime: at,
    lastUpdatedTime: at,
    request: run.request,
    ...(run.sealedSecrets !== undefined && { sealedSecrets: run.sealedSecrets }),
    ...(run.task !== undefined && { task: run.task }),
    ...(run.cause && { cause: run.cause }),
    ...(run.pool !== undefined && { pool: run.pool }),
    ...(run.maxConcurrent !== undefined && { maxConcurrent: run.maxConcurrent }),
    attempt: 0,
    steps: [],
    outputImages: [],
    isArchiveEnabled: run.request.isArchiveEnabled,
  };
}

/** The error for a writer whose attempt is over: a later one has the run, it was given back, or it has ended. */
export function supersededError(id: RunId): Error {
  return fail('conflict', `run ${id} is not this attempt's any more: it has ended or another worker has it`);
}

/** Refuses unless `attempt` is the one that is working on the run. */
function checkAttempt(run: Run, attempt: number): void {
  if (phaseOf(run) !== 'active' || run.attempt !== attempt) throw supersededError(run.runId);
}

/** The events up to and including the run's end: nothing happens in a run after it. */
export function untilEnd(events: readonly RunEvent[]): readonly RunEvent[] {
  const end = events.findIndex((event) => event.kind === 'run-ended');
  return end === -1 ? events : events.slice(0, end + 1);
}

/** `RunStore.append`. */
export function appendTo(attempt: number, events: readonly RunEvent[], at: string): Decide {
  return (run) => {
    checkAttempt(run, attempt);
    return change(run, events, at);
  };
}

/** `RunStore.begin`: the run is Started afterwards, or Canceled, or left alone. */
export function begin(worker: string, at: string): Decide {
  return (run) => {
    if (isFinal(run.status)) return undefined;
    if (run.cancelRequested) return change(run, [cancelEvent(run.cancelRequested.by)], at);
    return change(run, [{ kind: 'run-started', attempt: run.attempt + 1, worker }], at);
  };
}

/** `RunStore.release`. */
export function release(attempt: number, at: string): Decide {
  return (run) => {
    checkAttempt(run, attempt);
    return change(run, [{ kind: 'run-queued' }], at);
  };
}

function cancelEvent(by: string): RunEvent {
  return { kind: 'run-ended', status: 'Canceled', message: `canceled by ${by}` };
}

/** `RunStore.requestCancel`. A second request changes nothing: the time of the first one counts. */
export function requestCancel(by: string, at: string): Decide {
  return (run) => {
    if (isFinal(run.status)) return undefined;
    if (run.status === 'Queued') return change({ ...run, cancelRequested: { at, by } }, [cancelEvent(by)], at);
    if (run.cancelRequested) return undefined;
    return { run: { ...run, cancelRequested: { at, by }, lastUpdatedTime: at }, events: [] };
  };
}

/** `RunStore.end`. */
export function end(status: Extract<RunStatus, 'Canceled' | 'Error'>, message: string, at: string): Decide {
  return (run) => (isFinal(run.status) ? undefined : change(run, [{ kind: 'run-ended', status, message }], at));
}

/** `RunStore.setArchived`. */
export function setArchived(isArchiveEnabled: boolean, at: string): Decide {
  return (run) =>
    run.isArchiveEnabled === isArchiveEnabled
      ? undefined
      : { run: { ...run, isArchiveEnabled, lastUpdatedTime: at }, events: [] };
}
