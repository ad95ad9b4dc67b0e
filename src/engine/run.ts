import type { Clock } from '../domain/clock.ts';
import type { RunEvent } from '../domain/event.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Plan, Step, StepId } from '../domain/step.ts';
import { executePlan } from './execute.ts';
import { applyPolicies } from './policies.ts';
import { isIgnored } from './policy/ignore-errors.ts';
import { createLastLines, type LastLines } from './last-lines.ts';
import { withPushOutputs } from './outputs.ts';
import { attemptsOf, type RunTry, type TryLog } from './policy/retry.ts';
import type { Timer } from './policy/timeout.ts';
import type { PreparedRun, RunSetup, StepIo, StepRunner } from './ports.ts';
import type { Progress, StepProgress } from './progress.ts';
import { resultOf, type RunResult } from './result.ts';
import { isWorkspaceWanted, type TakenOver } from './resume.ts';
import { stop, stopOf } from './stop.ts';

export type { RunResult } from './result.ts';

/** What a run of a plan needs. */
export interface RunPlanOptions {
  readonly plan: Plan;
  readonly setup: RunSetup;
  readonly runner: StepRunner;
  /** For all steps together. */
  readonly timeoutMs: number;
  readonly timer: Timer;
  /** How many steps may run at the same time, at least 1; undefined: any number. */
  readonly maxParallel?: number;
  /** Aborts with a `Stop` as its reason. */
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** How far the run is already: it goes on from there. */
  readonly progress?: Progress | undefined;
  /** What is taken over from an earlier run; said once, when this run begins. */
  readonly takenOver?: TakenOver | undefined;
  /** Keep the workspace of a run that does not succeed. */
  readonly keepFailed?: boolean;
  readonly clock: Clock;
  /**
   * Resolves when everything that was emitted so far is kept for good; rejects when another attempt has the run. Absent: nothing of the
   * run outlives this process.
   */
  readonly recorded?: () => Promise<void>;
}

function ioOf(step: Step, emit: (event: RunEvent) => void): StepIo {
  return {
    output: (stream, text) => {
      emit({ kind: 'output', step: step.id, stream, text });
    },
    pushed: (image) => {
      emit({ kind: 'image-pushed', step: step.id, image });
    },
    builtOn: (dependencies) => {
      emit({ kind: 'dependencies-found', step: step.id, dependencies });
    },
  };
}

/** Leaves out the lines that have arrived already: a container that is followed again tells its output from its beginning. */
function skipLines(io: StepIo, lines: StepProgress['lines']): StepIo {
  const left = { ...lines };
  return {
    ...io,
    output: (stream, text) => {
      if (stream !== 'system' && left[stream] > 0) left[stream] -= 1;
      else io.output(stream, text);
    },
  };
}

/** Does a try; one that was begun before is followed, and says nothing twice. */
function createRunTry({ emit, progress }: RunPlanOptions, prepared: PreparedRun, lastLines: LastLines): RunTry {
  return withPushOutputs((step, io, signal, number) => {
    const before = progress?.steps.get(step.id);
    if (before?.lastTry === number)
      return prepared.run(step, lastLines.watch(step.id, skipLines(io, before.lines)), signal, number);
    if (before && step.kind !== 'cmd') ioOf(step, emit).output('system', 'its worker was lost: the step is done again');
    return prepared.run(step, lastLines.watch(step.id, io), signal, number);
  });
}

/** Writes down how tries ended that may not be the only one. */
function createTryLog({ emit, progress }: RunPlanOptions): TryLog {
  const hasSeveral = (step: Step): boolean => attemptsOf(step).retries > 0 || attemptsOf(step).repeat > 0;
  return {
    past: (step, number) => progress?.steps.get(step.id)?.endedTries.get(number),
    ended: (step, number, ended) => {
      if (hasSeveral(step)) emit({ kind: 'try-ended', step: step.id, number, ...ended });
    },
  };
}

/** Detached steps have ended for the graph, but their containers go on: their output is followed again. */
async function followDetached(options: RunPlanOptions, runTry: RunTry, signal: AbortSignal): Promise<void> {
  const { plan, progress, emit } = options;
  for (const step of plan.steps) {
    const lastTry = progress?.steps.get(step.id)?.lastTry;
    const isLeft = step.kind === 'cmd' && step.detach && progress?.finished.get(step.id)?.kind === 'succeeded';
    if (isLeft && lastTry !== undefined) await runTry(step, ioOf(step, emit), signal, lastTry);
  }
}

/** The tries that were begun, for the runner. */
function listBegun({ steps }: Progress): ReadonlyMap<StepId, number> {
  return new Map([...steps].flatMap(([id, { lastTry }]) => (lastTry === undefined ? [] : [[id, lastTry]])));
}

function setUp({ setup, progress, emit, recorded, maxParallel }: RunPlanOptions): RunSetup {
  return {
    ...setup,
    ...(maxParallel !== undefined && { maxParallel }),
    ...(progress && { begunTries: listBegun(progress) }),
    ...(recorded && {
      recorded,
      begin: (step, number) => {
        emit({ kind: 'try-started', step, number });
        return recorded();
      },
    }),
  };
}

/** What a run came to, and whether its workspace is worth keeping. */
interface Executed {
  readonly result: RunResult;
  readonly keepWorkspace: boolean;
}

async function execute(options: RunPlanOptions, prepared: PreparedRun, signal: AbortSignal): Promise<Executed> {
  const { emit, plan, timer, maxParallel, progress, clock } = options;
  const lastLines = createLastLines();
  const runTry = createRunTry(options, prepared, lastLines);
  const runStep = applyPolicies(runTry, {
    timer,
    ioOf: (step) => ioOf(step, emit),
    onStart: (step) => {
      emit({ kind: 'step-started', step: step.id });
    },
    tries: createTryLog(options),
    elapsedMs: (step) => {
      const startedAt = progress?.steps.get(step.id)?.startedAt;
      return startedAt === undefined ? undefined : clock.now() - startedAt;
    },
  });
  await followDetached(options, runTry, signal);
  const onEnd = (step: Step, outcome: Outcome): void => {
    if (isIgnored(step, outcome))
      ioOf(step, emit).output('system', 'the failure of this step is ignored (ignoreErrors)');
    emit({ kind: 'step-ended', step: step.id, outcome });
  };
  const finished = progress?.finished ?? options.takenOver?.finished;
  const outcomes = await executePlan(plan, { runStep, signal, onEnd, maxParallel, finished });
  const result = lastLines.describe(resultOf(plan, outcomes, signal));
  const hasFailed = result.status !== 'Succeeded' && stopOf(signal)?.kind !== 'handed-back';
  return { result, keepWorkspace: options.keepFailed === true && hasFailed && isWorkspaceWanted(plan, outcomes) };
}

/** Says what is to be run, and what need not be. */
function announcePlan({ plan, takenOver, emit }: RunPlanOptions): void {
  emit({ kind: 'run-planned', steps: plan.steps.map(({ id, kind }) => ({ id, kind })) });
  for (const event of takenOver?.events ?? []) emit(event);
}

/**
 * Runs a plan on a runner: sets up, executes, tears down (on every path). All that happens goes to `emit`, but for the run's own
 * start and end. With `progress`, what was done before is not done again, and not said again. Resolves with the run's final status; rejects when the runner failed.
 */
export async function runPlan(options: RunPlanOptions): Promise<RunResult> {
  const timeout = new AbortController();
  const cancelTimer = options.timer(options.timeoutMs, () => {
    stop(timeout, { kind: 'run-timed-out', afterMs: options.timeoutMs });
  });
  const signal = AbortSignal.any([options.signal, timeout.signal]);
  if (!options.progress) announcePlan(options);
  try {
    const prepared = await options.runner.prepare(setUp(options));
    let keepWorkspace = false;
    try {
      const executed = await execute(options, prepared, signal);
      ({ keepWorkspace } = executed);
      return executed.result;
    } finally {
      if (stopOf(options.signal)?.kind === 'superseded') prepared.abandon();
      else await prepared.dispose({ keepWorkspace });
    }
  } finally {
    cancelTimer();
  }
}
