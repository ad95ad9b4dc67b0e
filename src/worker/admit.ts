import { isFinal, type Run, type RunId } from '../domain/run.ts';
import type { TaskName } from '../domain/task.ts';
import { delay } from '../engine/delay.ts';
import type { Timer } from '../engine/policy/timeout.ts';
import { stopOf } from '../engine/stop.ts';
import type { Taken } from '../queue/ports.ts';
import type { RunStore } from '../store/ports.ts';

/** The runs of one worker that wait for a place of the installation. */
export interface Line {
  /** Settles when the last one of them has waited; never rejects. */
  last: Promise<unknown>;
}

export interface AdmitOptions {
  readonly runs: Pick<RunStore, 'get' | 'takePlace'>;
  readonly timer: Timer;
  /** How many runs may be at work in the whole installation; undefined: as many as its workers take. */
  readonly maxRuns?: number | undefined;
  readonly line: Line;
  /** How often it is asked for a place of the installation; 250 ms when left out. */
  readonly pollMs?: number;
}

/** What the places of the installation are kept under; no task can have the name. */
const installation = '*' as TaskName;

async function isOver(id: RunId, { runs }: AdmitOptions): Promise<boolean> {
  const run = await runs.get(id);
  return run === undefined || isFinal(run.status);
}

/** Asks until the installation has a place. */
async function askForPlace(run: Run, signal: AbortSignal, options: AdmitOptions): Promise<'begin' | Taken> {
  const { runs, timer, maxRuns = Infinity, pollMs = 250 } = options;
  for (;;) {
    const stopped = stopOf(signal);
    // A canceled run does not begin, and that is what it is ended by.
    if (stopped?.kind === 'canceled') return 'begin';
    if (stopped) return stopped.kind === 'superseded' ? 'done' : 'hand-back';
    if (await runs.takePlace(run.runId, installation, maxRuns)) return 'begin';
    if (await isOver(run.runId, options)) return 'begin';
    await delay(pollMs, timer, signal);
  }
}

/**
 * Waits for a place among the runs of the installation, and keeps the worker's own: no other run could begin there either, and the queue
 * stays in its order. The runs of a worker wait one behind the other, so that none is passed by those that come after it.
 */
async function waitForPlace(run: Run, signal: AbortSignal, options: AdmitOptions): Promise<'begin' | Taken> {
  if (options.maxRuns === undefined) return 'begin';
  const { line } = options;
  const admitted = line.last.then(() => askForPlace(run, signal, options));
  line.last = admitted.catch(() => undefined);
  return admitted;
}

/**
 * Says whether a run may begin: its task has a place left (if not: `later`), and so has the installation. A run that is over or unknown
 * needs none. `signal` aborts with a `Stop` as its reason. Rejects with `redis-unavailable`.
 */
export async function admit(
  run: Run | undefined,
  signal: AbortSignal,
  options: AdmitOptions,
): Promise<'begin' | Taken> {
  if (run === undefined || isFinal(run.status)) return 'begin';
  const { runId, task, maxConcurrent } = run;
  const hasPlace =
    task === undefined || maxConcurrent === undefined || (await options.runs.takePlace(runId, task, maxConcurrent));
  if (hasPlace) return waitForPlace(run, signal, options);
  // Canceled since it was read: it is over, and `begin` says so.
  return (await isOver(runId, options)) ? 'begin' : 'later';
}
