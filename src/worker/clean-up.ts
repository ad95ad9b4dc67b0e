import type { Logger } from 'pino';
import type { Clock } from '../domain/clock.ts';
import type { RunStore } from '../store/ports.ts';
import { removeOldWork } from './old-contexts.ts';
import { periodically, type Periodic } from './periodically.ts';

export interface CleanUpOptions {
  readonly runs: Pick<RunStore, 'listActive'>;
  /** Where contexts are fetched to. */
  readonly directory: string;
  /** Removes from the engine what no live run owns, and old images. */
  readonly sweepEngine: (liveRuns: ReadonlySet<string>) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const everyMs = 10 * 60_000;
/** Longer than any run may last. */
const oldMs = 9 * 60 * 60_000;

/** Keeps a worker's disk and engine free of what ended or killed runs left there. */
export function startCleanUp(options: CleanUpOptions): Periodic {
  const work = async (): Promise<void> => {
    await removeOldWork(options.directory, options.clock.now() - oldMs);
    const active = await options.runs.listActive();
    await options.sweepEngine(new Set(active.map((run) => run.runId)));
  };
  return periodically(everyMs, work, (error) => {
    options.logger.warn({ err: error }, 'the engine could not be cleaned up');
  });
}
