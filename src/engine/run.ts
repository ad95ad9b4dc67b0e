import type { RunEvent } from '../domain/event.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { FinalStatus } from '../domain/run.ts';
import type { Plan, Step, StepId } from '../domain/step.ts';
import { executePlan } from './execute.ts';
import { withTimeout, type Timer } from './policy/timeout.ts';
import type { PreparedRun, RunSetup, StepIo, StepRunner } from './ports.ts';
import { describeStop, stop, stopOf } from './stop.ts';

export interface RunPlanOptions {
  readonly plan: Plan;
  readonly setup: RunSetup;
  readonly runner: StepRunner;
  /** For all steps together. */
  readonly timeoutMs: number;
  readonly timer: Timer;
  /** Aborts with a `Stop` as its reason. */
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
}

export interface RunResult {
  readonly status: FinalStatus;
  readonly message?: string;
}

function ioOf(step: Step, emit: (event: RunEvent) => void): StepIo {
  return {
    output: (stream, text) => {
      emit({ kind: 'output', step: step.id, stream, text });
    },
    pushed: (image) => {
      emit({ kind: 'image-pushed', step: step.id, image });
    },
  };
}

/** The one step that decided how the run ended: the first that neither succeeded nor only followed another's fate. */
function culprit(outcomes: ReadonlyMap<StepId, Outcome>): readonly [StepId, Outcome] | undefined {
  const bad = [...outcomes].filter(([, outcome]) => outcome.kind === 'failed' || outcome.kind === 'timed-out');
  return bad[0];
}

function sayOutcome(step: StepId, outcome: Outcome): string {
  switch (outcome.kind) {
    case 'failed':
      return `step ${step} failed: ${outcome.message}`;
    case 'timed-out':
      return `step ${step} was stopped: its timeout of ${outcome.afterMs / 1000} s passed`;
    case 'canceled':
      return `step ${step} was canceled: ${outcome.reason}`;
    case 'skipped':
      return `step ${step} was skipped: ${outcome.because}`;
    case 'succeeded':
      return `step ${step} succeeded`;
  }
}

function resultOf(outcomes: ReadonlyMap<StepId, Outcome>, signal: AbortSignal): RunResult {
  const reason = stopOf(signal);
  const bad = culprit(outcomes);
  if (reason && reason.kind !== 'run-timed-out') return { status: 'Canceled', message: describeStop(reason) };
  if (reason) return { status: 'Timeout', message: describeStop(reason) };
  if (!bad) return { status: 'Succeeded' };
  return { status: bad[1].kind === 'timed-out' ? 'Timeout' : 'Failed', message: sayOutcome(...bad) };
}

async function execute(options: RunPlanOptions, prepared: PreparedRun, signal: AbortSignal): Promise<RunResult> {
  const { emit, plan } = options;
  const outcomes = await executePlan(plan, {
    runStep: withTimeout((step, own) => prepared.run(step, ioOf(step, emit), own), options.timer),
    signal,
    onStart: (step) => {
      emit({ kind: 'step-started', step: step.id });
    },
    onEnd: (step, outcome) => {
      emit({ kind: 'step-ended', step: step.id, outcome });
    },
  });
  return resultOf(outcomes, signal);
}

/**
 * Runs a plan on a runner: sets up, executes, tears down (on every path). All that happens goes to `emit`, but for the run's own
 * start and end. Resolves with the run's final status; rejects when the runner failed.
 */
export async function runPlan(options: RunPlanOptions): Promise<RunResult> {
  const timeout = new AbortController();
  const cancelTimer = options.timer(options.timeoutMs, () => {
    stop(timeout, { kind: 'run-timed-out', afterMs: options.timeoutMs });
  });
  const signal = AbortSignal.any([options.signal, timeout.signal]);
  options.emit({ kind: 'run-planned', steps: options.plan.steps.map(({ id, kind }) => ({ id, kind })) });
  try {
    const prepared = await options.runner.prepare(options.setup);
    try {
      return await execute(options, prepared, signal);
    } finally {
      await prepared.dispose();
    }
  } finally {
    cancelTimer();
  }
}
