import type { ApiClient, RunReader, RunView } from './api-types.ts';
import type { Cli } from './cli.ts';
import { exitCodeOfRun, type ExitCode } from './exit-codes.ts';
import { interruptedCode, withInterrupt } from './io.ts';
import { createLiveScreen } from './live-screen.ts';
import { followLog, sayThatItGoesOn } from './run-log.ts';
import { listImages, paintStatus, runResult } from './run-view.ts';

/** Azure's scripts name the registry; here there is one, so that another name deserves a word and no more. */
export async function noteRegistry({ screen }: Cli, client: ApiClient, given: string): Promise<void> {
  const { name, loginServer } = await client.registry();
  if ([name, loginServer].some((one) => one.toLowerCase() === given.toLowerCase())) return;
  screen.note(`note: --registry ${given} is ignored; this server's registry is ${name} (${loginServer})`);
}

/** A run that a command makes and waits for. */
export interface Job {
  readonly submit: (signal: AbortSignal) => Promise<RunView>;
  /** False: the command ends when the run is scheduled. */
  readonly wait: boolean;
  readonly logs: boolean;
  /** Says which step each line is from, and on a terminal how the steps stand. */
  readonly showSteps?: boolean;
}

async function reportQueued({ screen }: Cli, run: RunView): Promise<ExitCode> {
  await screen.result(runResult(run));
  if (!screen.json) await screen.print(run.runId);
  return 0;
}

/** The end of a run: what was pushed, and when no log was shown, how it went. */
export async function reportEnd({ screen }: Cli, run: RunView, isLogShown: boolean): Promise<ExitCode> {
  const { colors } = screen;
  if (!isLogShown) {
    const why = run.runErrorMessage === undefined ? '' : `: ${run.runErrorMessage}`;
    await screen.print(`Run ${run.runId} ${paintStatus(colors, run.status)}${why}`);
  }
  for (const image of listImages(run)) await screen.print(`${colors.bold('Image:')} ${image}`);
  await screen.result(runResult(run));
  return exitCodeOfRun(run.status);
}

/** A run that is being followed. */
export interface Following extends Pick<Job, 'logs' | 'showSteps'> {
  readonly client: RunReader;
  readonly id: string;
  /** Ends the following. */
  readonly signal: AbortSignal;
}

/**
 * Shows a run's log until it ends; with its steps below it where that is wanted and the output is a terminal. Undefined when the signal
 * has aborted before.
 */
export async function showRun(
  cli: Cli,
  { client, id, logs, showSteps, signal }: Following,
): Promise<RunView | undefined> {
  if (!logs) {
    cli.screen.note(`Queued a run with ID: ${id}`);
    return followLog(cli, client, id, { signal, onEvent: () => Promise.resolve() });
  }
  if (showSteps !== true) return followLog(cli, client, id, { signal });
  const { screen, update, close } = createLiveScreen(cli.screen, cli.io);
  try {
    return await followLog({ ...cli, screen }, client, id, { signal, namesSteps: true, onPrinted: update });
  } finally {
    close();
  }
}

/** Submits a run and follows it to its end, or as far as the flags and Ctrl-C let it. */
export async function runToEnd(cli: Cli, client: ApiClient, job: Job): Promise<ExitCode> {
  return withInterrupt(cli.io, async (signal) => {
    const submitted = await job.submit(signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (submitted === undefined) {
      cli.screen.note('Stopped before anything was submitted.');
      return interruptedCode;
    }
    if (!job.wait) return reportQueued(cli, submitted);
    const run = await showRun(cli, { client, id: submitted.runId, ...job, signal });
    if (run !== undefined) return reportEnd(cli, run, job.logs);
    sayThatItGoesOn(cli, submitted.runId);
    return interruptedCode;
  });
}
