import { hasSecrets, joinSecrets, secretValues, type RequestSecrets } from '../domain/request-secrets.ts';
import { toFailure, type FailureReason } from '../domain/failure.ts';
import type { Run, RunId } from '../domain/run.ts';
import { resumedFrom } from '../domain/resumed-from.ts';
import type { RunResult } from '../engine/run.ts';
import { stop, stopOf } from '../engine/stop.ts';
import type { Taken } from '../queue/ports.ts';
import { createMasker } from '../secret/mask.ts';
import { admit } from './admit.ts';
import { maskEvents } from './mask-events.ts';
import { decideTakeUp, usualEngineGraceMs, type TakeUp } from './take-up.ts';
import { dependencyLines } from './dependency-lines.ts';
import { createEventWriter, type EventWriter } from './event-writer.ts';
import { runFresh, runJob } from './run-job.ts';
import { reopenContext, sourceOf } from './source-of-plan.ts';
import { isBetterElsewhere, prepareResumption } from './resume.ts';
import { makePlan, openContext, type Work, type WorkRunOptions } from './work.ts';

/** How often a run is taken up: more, and it is the run that takes its worker or engine down. */
const usualMaxAttempts = 5;

/** Reasons that are the request's own fault: the run has Failed; anything else is an Error of ours. */
const requestFaults: ReadonlySet<FailureReason> = new Set([
  'invalid-request',
  'invalid-context',
  'too-large',
  'not-found',
  'source-unavailable',
  'timed-out',
  'unsupported',
  'forbidden',
]);

const noSecrets: RequestSecrets = { arguments: {}, registries: {} };

/** Gets the context, plans, and runs. Rejects when something of it failed. */
async function beginRun(work: Work, options: WorkRunOptions): Promise<RunResult> {
  const { attempt } = work.run;
  const context = await openContext(work, options);
  try {
    const plan = await makePlan(work, context, options);
    return await runFresh(work, { plan, attempt, context, source: sourceOf(context) }, options);
  } finally {
    await context?.dispose();
  }
}

/** Goes on from where another run failed, with the plan of that run. Rejects when that cannot be. */
async function resumeRun(from: RunId, work: Work, options: WorkRunOptions): Promise<RunResult> {
  const { attempt } = work.run;
  const resumption = await prepareResumption(from, work, options);
  for (const text of resumption.lines) work.emit({ kind: 'output', stream: 'system', text });
  const context = await reopenContext(from, resumption, work, options);
  const { plan, source } = resumption.kept;
  try {
    return await runFresh(work, { plan, attempt, context, source, resumption }, options);
  } finally {
    await context?.dispose();
  }
}

async function doRun(work: Work, options: WorkRunOptions): Promise<RunResult> {
  const { takeUp, emit } = work;
  if (takeUp.kind === 'lost') return { status: 'Error', message: takeUp.message };
  if (takeUp.kind === 'anew') {
    const from = resumedFrom(work.run.cause);
    return from === undefined ? beginRun(work, options) : resumeRun(from, work, options);
  }
  emit({ kind: 'output', stream: 'system', text: 'its worker was lost; the run goes on from where it was' });
  return runJob(work, { ...takeUp.kept, progress: takeUp.progress }, options);
}

/** What a run that could not be done comes to: an end, or another attempt. */
async function resultOfError(error: unknown, work: Work, options: WorkRunOptions): Promise<RunResult | 'again'> {
  const stopped = stopOf(work.stopper.signal);
  if (stopped?.kind === 'canceled') return { status: 'Canceled', message: `canceled by ${stopped.by}` };
  const failure = toFailure(error);
  if (failure.reason === 'engine-unavailable') {
    await options.onEngineLost();
    if (work.run.attempt < (options.maxAttempts ?? usualMaxAttempts)) return 'again';
  }
  if (requestFaults.has(failure.reason)) return { status: 'Failed', message: failure.message };
  options.logger.error({ err: error, runId: work.run.runId }, 'the run could not be done');
  return { status: 'Error', message: failure.message };
}

async function handBack(work: Work, writer: EventWriter, options: WorkRunOptions): Promise<Taken> {
  work.emit({ kind: 'output', stream: 'system', text: 'the run goes back to the queue; another worker takes it up' });
  await writer.drain();
  await options.store.runs.release(work.run.runId, work.run.attempt);
  return 'hand-back';
}

async function sayDependencies({ run, emit, recorded }: Work, { store }: WorkRunOptions): Promise<void> {
  await recorded();
  const lines = await dependencyLines(store.runs, run.runId);
  for (const text of lines) emit({ kind: 'output', stream: 'system', text });
}

async function finish(work: Work, writer: EventWriter, options: WorkRunOptions): Promise<Taken> {
  const { maxAttempts = usualMaxAttempts } = options;
  const isHopeless = work.run.attempt > maxAttempts;
  const result: RunResult | 'again' = isHopeless
    ? {
        status: 'Error',
        message: `the run was taken up ${maxAttempts} times, and its worker or engine was lost each time`,
      }
    : await doRun(work, options).catch((error: unknown) => resultOfError(error, work, options));
  const stopped = stopOf(work.stopper.signal);
  if (stopped?.kind === 'superseded') return 'done';
  if (result === 'again' || stopped?.kind === 'handed-back') return handBack(work, writer, options);
  const { status, message } = result;
  if (status === 'Succeeded') await sayDependencies(work, options);
  work.emit({ kind: 'run-ended', status, ...(message !== undefined && { message }) });
  await writer.drain();
  return 'done';
}

function startWork(
  run: Run,
  takeUp: Work['takeUp'],
  stopper: AbortController,
  options: WorkRunOptions,
): { work: Work; writer: EventWriter } {
  const secrets = run.sealedSecrets === undefined ? noSecrets : options.openSecrets(run.sealedSecrets);
  const writer = createEventWriter({
    store: options.store.runs,
    runId: run.runId,
    attempt: run.attempt,
    retryMs: 250,
    onSuperseded: () => {
      stop(stopper, { kind: 'superseded' });
    },
  });
  const known = takeUp.kind === 'go-on' ? takeUp.kept.secrets : [];
  const mask = createMasker([...known, ...(hasSecrets(secrets) ? secretValues(secrets) : [])]);
  const emit = maskEvents((event) => {
    writer.emit(event);
  }, mask);
  const request = joinSecrets(run.request, secrets);
  return { work: { run, takeUp, request, secrets, mask, stopper, emit, recorded: () => writer.drain() }, writer };
}

/** A run that could not even be started or written: back to the queue while our store is away, an end otherwise. */
async function giveUp(id: RunId, error: unknown, options: WorkRunOptions): Promise<Taken> {
  const failure = toFailure(error);
  options.logger.warn({ err: error, runId: id }, 'the run could not be worked off');
  if (failure.reason === 'redis-unavailable') return 'hand-back';
  if (failure.reason === 'engine-unavailable') {
    await options.onEngineLost();
    return 'hand-back';
  }
  if (failure.reason !== 'conflict') await options.store.runs.end(id, 'Error', failure.message);
  return 'done';
}

/** How a run is to be taken up, before anything of it is changed. */
async function lookAt(run: Run | undefined, options: WorkRunOptions): Promise<TakeUp> {
  const { store, runner, plans, clock, waitingSince } = options;
  const looking = { events: store.events, runner, plans, clock, waitingSince, engineGraceMs: usualEngineGraceMs };
  return run ? decideTakeUp(run, looking) : { kind: 'anew' };
}

/**
 * Takes a run up and does it to its end, whatever happens: its record, its events and its archive are then complete. `stopper` aborts
 * with a `Stop` as its reason. Never rejects: when our own store is away, the run goes back to the queue.
 */
export async function workRun(id: RunId, stopper: AbortController, options: WorkRunOptions): Promise<Taken> {
  try {
    const { runs } = options.store;
    const found = await runs.get(id);
    const takeUp = await lookAt(found, options);
    if (takeUp.kind === 'wait') return 'hand-back';
    if (found && (await isBetterElsewhere(found, options))) return 'later';
    const admitted = await admit(found, stopper.signal, { ...options, runs });
    if (admitted !== 'begin') return admitted;
    const run = await runs.begin(id, options.name);
    if (run) {
      options.onStarted?.(run);
      const { work, writer } = startWork(run, takeUp, stopper, options);
      if ((await finish(work, writer, options)) === 'hand-back') return 'hand-back';
    }
    await options.archive(id);
    return 'done';
  } catch (error) {
    return giveUp(id, error, options).catch(() => 'hand-back');
  }
}
