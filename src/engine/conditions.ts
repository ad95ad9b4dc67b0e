import type { Outcome } from '../domain/outcome.ts';
import type { Step } from '../domain/step.ts';
import { isIgnored } from './policy/ignore-errors.ts';

/** A step that is over, as the steps that need it see it. */
export interface Ended {
  readonly step: Step;
  readonly outcome: Outcome;
  /**
   * True when the step failed (and that is not ignored), was stopped, or was skipped because of a failure. A step that was skipped because
   * it was not called for (a failure handler without a failure) stands for the steps that it needs, so that an implicit `when` goes through it.
   */
  readonly hasFailed: boolean;
}

/** Whether a step may run, and go on running, in a run that has failed: it has a say of its own about the steps it needs. */
export function survivesFailure({ runOn, exitedWith, exitedWithout }: Step): boolean {
  return runOn !== 'success' || exitedWith !== undefined || exitedWithout !== undefined;
}

/** What a step that has run means to the graph. A step that was stopped has not succeeded, whatever its `ignoreErrors`. */
export function hasFailed(step: Step, outcome: Outcome): boolean {
  return outcome.kind !== 'succeeded' && !isIgnored(step, outcome);
}

function exitCodeOf(outcome: Outcome): number | undefined {
  if (outcome.kind === 'succeeded') return 0;
  return outcome.kind === 'failed' ? outcome.exitCode : undefined;
}

function describeExit({ step, outcome }: Ended): string {
  const code = exitCodeOf(outcome);
  return code === undefined ? `step ${step.id} has no exit code` : `step ${step.id} ended with exit code ${code}`;
}

function unmetExitCode({ exitedWith, exitedWithout }: Step, needs: readonly Ended[]): string | undefined {
  const isOneOf = (codes: readonly number[], { outcome }: Ended): boolean => {
    const code = exitCodeOf(outcome);
    return code !== undefined && codes.includes(code);
  };
  const missing = exitedWith && needs.find((need) => !isOneOf(exitedWith, need));
  const unwanted = exitedWithout && needs.find((need) => isOneOf(exitedWithout, need));
  const because = missing ?? unwanted;
  return because && describeExit(because);
}

function unmetRunOn(step: Step, needs: readonly Ended[]): string | undefined {
  const failed = needs.find((need) => need.hasFailed);
  switch (step.runOn) {
    case 'success':
      return survivesFailure(step) || !failed ? undefined : `step ${failed.step.id} did not succeed`;
    case 'failure':
      return failed ? undefined : 'no step that it needs failed';
    case 'always':
      return undefined;
  }
}

/**
 * Why a step must not run after these, the steps that it needs; undefined when it may. Conditions on exit codes take the place of the
 * success of the needed steps; together with `runOn: failure` both are asked for. A step that was skipped, stopped or timed out has no
 * exit code; an ignored failure has its own.
 */
export function findUnmet(step: Step, needs: readonly Ended[]): string | undefined {
  return unmetExitCode(step, needs) ?? unmetRunOn(step, needs);
}
