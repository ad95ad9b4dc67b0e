import type { Logger } from 'pino';
import type { Clock } from '../domain/clock.ts';
import { hasSecrets, joinSecrets, secretValues, type RequestSecrets } from '../domain/request-secrets.ts';
import type { RunEvent } from '../domain/event.ts';
import { toFailure, type FailureReason } from '../domain/failure.ts';
import type { Run, RunId } from '../domain/run.ts';
import type { RegistryCredential, RunRequest } from '../domain/run-request.ts';
import type { Plan } from '../domain/step.ts';
import type { Timer } from '../engine/policy/timeout.ts';
import type { StepRunner } from '../engine/ports.ts';
import { runPlan, type RunResult } from '../engine/run.ts';
import { stop, stopOf } from '../engine/stop.ts';
import type { Taken } from '../queue/ports.ts';
import { createMasker } from '../secret/mask.ts';
import type { Context, ContextWish } from '../source/ports.ts';
import type { Store } from '../store/ports.ts';
import { planRun } from './plan-run.ts';
import { createEventWriter, type EventWriter } from './event-writer.ts';

/** What a worker needs to do runs. */
export interface WorkRunOptions {
  readonly name: string;
  readonly store: Pick<Store, 'runs' | 'events'>;
  readonly runner: StepRunner;
  readonly registryHost: string;
  /** Looks at the engine (`amd64`, `arm64`, …); rejects `engine-unavailable` when it does not answer. */
  readonly readEngine: () => Promise<{ readonly version: string; readonly architecture: string }>;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly logger: Logger;
  /** Opens what a run's `sealedSecrets` hold. */
  readonly openSecrets: (sealed: string) => RequestSecrets;
  /** A name and password for the embedded registry that are good for this run alone. */
  readonly issueCredential: (run: Run) => RegistryCredential;
  readonly openContext: (location: string, how: ContextWish) => Promise<Context>;
  /** Numbers n, 0 ≤ n < 1. */
  readonly random: () => number;
  /** Fetches a small text that a task names by its URL. */
  readonly fetchText: (url: string, signal: AbortSignal) => Promise<string>;
  /** Keeps the finished run's events for good. */
  readonly archive: (id: RunId) => Promise<void>;
  /** Told when the engine failed under a run; resolves when no further one is taken until it is back. */
  readonly onEngineLost: () => Promise<void>;
}

/** How often a run is taken up: more, and it is the run that takes its worker or engine down. */
const maxAttempts = 5;

/** Reasons that are the request's own fault: the run has Failed; anything else is an Error of ours. */
const requestFaults: ReadonlySet<FailureReason> = new Set([
  'invalid-request',
  'invalid-context',
  'too-large',
  'not-found',
  'source-unavailable',
  'timed-out',
  'unsupported',
]);

interface Work {
  readonly run: Run;
  readonly request: RunRequest;
  readonly secrets: RequestSecrets;
  readonly stopper: AbortController;
  readonly emit: (event: RunEvent) => void;
}

const noSecrets: RequestSecrets = { arguments: {}, registries: {} };

/** Masks every secret in what goes to the log and to the record's messages. */
function maskEvents(emit: (event: RunEvent) => void, mask: (text: string) => string): (event: RunEvent) => void {
  return (event) => {
    if (event.kind === 'output') emit({ ...event, text: mask(event.text) });
    else if (event.kind === 'step-ended' && event.outcome.kind === 'failed')
      emit({ ...event, outcome: { ...event.outcome, message: mask(event.outcome.message) } });
    else if (event.kind === 'run-ended' && event.message !== undefined)
      emit({ ...event, message: mask(event.message) });
    else emit(event);
  };
}

function registryCredentials(work: Work, options: WorkRunOptions): Record<string, RegistryCredential> {
  const { sourceRegistry, customRegistries } = work.request.credentials;
  const own = sourceRegistry.loginMode === 'None' ? {} : { [options.registryHost]: options.issueCredential(work.run) };
  return { ...customRegistries, ...own };
}

async function openContext(work: Work, options: WorkRunOptions): Promise<Context | undefined> {
  const { request, secrets, stopper } = work;
  if (request.sourceLocation === undefined) return undefined;
  const dockerfile = request.type === 'DockerBuildRequest' ? request.dockerFilePath : undefined;
  const wish = { secret: secrets.source, dockerfile, signal: stopper.signal };
  const context = await options.openContext(request.sourceLocation, wish);
  work.emit({ kind: 'output', stream: 'system', text: `context: ${context.description}` });
  return context;
}

async function makePlan(work: Work, context: Context | undefined, options: WorkRunOptions): Promise<Plan> {
  return planRun(work.request, {
    run: work.run,
    registryHost: options.registryHost,
    startedAt: new Date(options.clock.now()),
    architecture: (await options.readEngine()).architecture,
    context,
    random: options.random,
    say: (text) => {
      work.emit({ kind: 'output', stream: 'system', text });
    },
    fetchText: (url) => options.fetchText(url, work.stopper.signal),
  });
}

/** Gets the context, plans, and runs. Rejects when something of it failed. */
async function doRun(work: Work, options: WorkRunOptions): Promise<RunResult> {
  const context = await openContext(work, options);
  try {
    const plan = await makePlan(work, context, options);
    return await runPlan({
      plan,
      setup: {
        runId: work.run.runId,
        attempt: work.run.attempt,
        plan,
        ...(context && { context }),
        openRemoteContext: (url, signal) =>
          options.openContext(url, { secret: undefined, dockerfile: undefined, signal }),
        registryCredentials: registryCredentials(work, options),
      },
      runner: options.runner,
      timeoutMs: work.request.timeout * 1000,
      timer: options.timer,
      signal: work.stopper.signal,
      emit: work.emit,
    });
  } finally {
    await context?.dispose();
  }
}

/** What a run that could not be done comes to: an end, or another attempt. */
async function resultOfError(error: unknown, work: Work, options: WorkRunOptions): Promise<RunResult | 'again'> {
  const stopped = stopOf(work.stopper.signal);
  if (stopped?.kind === 'canceled') return { status: 'Canceled', message: `canceled by ${stopped.by}` };
  const failure = toFailure(error);
  if (failure.reason === 'engine-unavailable') {
    await options.onEngineLost();
    if (work.run.attempt < maxAttempts) return 'again';
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

async function finish(work: Work, writer: EventWriter, options: WorkRunOptions): Promise<Taken> {
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
  work.emit({ kind: 'run-ended', status, ...(message !== undefined && { message }) });
  await writer.drain();
  return 'done';
}

function startWork(run: Run, stopper: AbortController, options: WorkRunOptions): { work: Work; writer: EventWriter } {
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
  const mask = createMasker(hasSecrets(secrets) ? secretValues(secrets) : []);
  const emit = maskEvents((event) => {
    writer.emit(event);
  }, mask);
  return { work: { run, request: joinSecrets(run.request, secrets), secrets, stopper, emit }, writer };
}

/** A run that could not even be started or written: back to the queue while our store is away, an end otherwise. */
async function giveUp(id: RunId, error: unknown, options: WorkRunOptions): Promise<Taken> {
  const failure = toFailure(error);
  options.logger.warn({ err: error, runId: id }, 'the run could not be worked off');
  if (failure.reason === 'redis-unavailable') return 'hand-back';
  if (failure.reason !== 'conflict') await options.store.runs.end(id, 'Error', failure.message);
  return 'done';
}

/**
 * Takes a run up and does it to its end, whatever happens: its record, its events and its archive are then complete. `stopper` aborts
 * with a `Stop` as its reason. Never rejects: when our own store is away, the run goes back to the queue.
 */
export async function workRun(id: RunId, stopper: AbortController, options: WorkRunOptions): Promise<Taken> {
  try {
    const run = await options.store.runs.begin(id, options.name);
    if (run) {
      const { work, writer } = startWork(run, stopper, options);
      if ((await finish(work, writer, options)) === 'hand-back') return 'hand-back';
    }
    await options.archive(id);
    return 'done';
  } catch (error) {
    return giveUp(id, error, options).catch(() => 'hand-back');
  }
}
