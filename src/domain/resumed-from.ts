import { isRunId, type RunId } from './run.ts';
import type { RunCause } from './run-cause.ts';

/** The run that a run with this cause goes on from; undefined when it begins at the beginning. */
export function resumedFrom(cause: RunCause | undefined): RunId | undefined {
  if (cause === undefined || !('fromFailed' in cause) || !cause.fromFailed) return undefined;
  const { rerunOf } = cause;
  return rerunOf !== undefined && isRunId(rerunOf) ? rerunOf : undefined;
}
