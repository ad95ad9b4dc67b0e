import type { RunCause } from '../domain/run-cause.ts';

/** The cause of a run that looks at an image. */
export type ScanCause = Extract<RunCause, { kind: 'scan' }>;

/** What a scan came to. */
export interface ScanEnd {
  readonly runId: string;
  readonly cause: ScanCause;
  readonly report: Buffer;
  /** The run did not succeed, though there is a report: a scanner may say so by its exit code. */
  readonly hasFailed: boolean;
}

/** Keeps the report of a scan with its image, and decides what there is to decide; resolves with lines for the run's log. */
export type KeepScan = (end: ScanEnd) => Promise<readonly string[]>;
