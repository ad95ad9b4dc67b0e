import type { FailureReason } from '../domain/failure.ts';
import type { RunStatus } from '../domain/run.ts';

/** 1: the work failed. 2: what was asked for makes no sense. 3: it does not exist. 4: the server, or what it stands on, could not be reached. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130;

/** The exit code of each reason (DESIGN.md §6), complete by type. */
const codes: Readonly<Record<FailureReason, ExitCode>> = {
  'invalid-request': 2,
  'invalid-context': 2,
  unauthenticated: 1,
  forbidden: 1,
  'not-found': 3,
  conflict: 1,
  expired: 1,
  'too-large': 2,
  'rate-limited': 1,
  'timed-out': 1,
  unsupported: 2,
  'source-unavailable': 1,
  'redis-unavailable': 4,
  'engine-unavailable': 4,
  'storage-unavailable': 4,
  'server-unreachable': 4,
  internal: 1,
};

/** The exit code that stands for a failure. */
export function exitCodeOf(reason: FailureReason): ExitCode {
  return codes[reason];
}

/** The exit code of a command that waited for a run. */
export function exitCodeOfRun(status: RunStatus): ExitCode {
  return status === 'Succeeded' ? 0 : 1;
}
