import type { RunEvent } from '../domain/event.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Plan, Step } from '../domain/step.ts';
import { executePlan } from './execute.ts';
import { applyPolicies } from './policies.ts';
import { isIgnored } from './policy/ignore-errors.ts';
import type { Timer } from './policy/timeout.ts';
import type { PreparedRun, RunSetup, StepIo, StepRunner } from './ports.ts';
import { resultOf, type RunResult } from './result.ts';
import { stop } from './stop.ts';

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

async function execute(options: RunPlanOptions, prepared: PreparedRun, signal: AbortSignal): Promise<RunResult> {
  const { emit, plan, timer, maxParallel } = options;
  const runStep = applyPolicies((step, io, own, attempt) => prepared.run(step, io, own, attempt), {
    timer,
    ioOf: (step) => ioOf(step, emit),
    onStart: (step) => {
      emit({ kind: 'step-started', step: step.id });
    },
  });
  const onEnd = (step: Step, outcome: Outcome): void => {
    if (isIgnored(step, outcome))
      ioOf(step, emit).output('system', 'the failure of this step is ignored (ignoreErrors)');
    emit({ kind: 'step-ended', step: step.id, outcome });
  };
  return resultOf(plan, await executePlan(plan, { runStep, signal, onEnd, maxParallel }), signal);
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
