import type { Outcome } from '../../domain/outcome.ts';
import type { CmdStep } from '../../domain/step.ts';
import { canceledBy, isAborted, isSuperseded } from './canceled.ts';
import { discard, failed, type CmdJob } from './cmd-job.ts';
import type { FollowedOutput } from './container-output.ts';
import { collectOutputs } from './step-outputs.ts';
import { collectReport, type StdoutTap } from './step-report.ts';
import { formatBytes } from './limits/applied.ts';
import type { RunScope } from './scope.ts';
import { isOutOfMemory, stopContainer, waitForExit, type Exit } from './container.ts';

/** A container that runs, or has run. */
export interface Running {
  readonly id: string;
  readonly output: FollowedOutput;
  /** What it has written, where somebody wants it as its report. */
  readonly stdout?: StdoutTap | undefined;
}

async function describeExit({ scope, step }: CmdJob, id: string, { code, isGone }: Exit): Promise<Outcome> {
  if (code === 0) return collectOutputs(scope.engine, id, step);
  if (isGone) return failed('the container was removed while it ran', code);
  const isKilled = code === 137 && (await isOutOfMemory(scope.engine, id));
  if (isKilled) return failed(describeHunger(scope, step), code);
  return failed(`exit code ${code}${hints[code] ?? ''}`, code);
}

function describeHunger({ limits }: RunScope, step: CmdStep): string {
  const needed = 'the container needed more memory than it may have';
  const { memoryBytes } = limits.of(step);
  if (memoryBytes === undefined) return needed;
  if (step.memory !== undefined) return `${needed} (limit ${step.memory}: raise the step's memory)`;
  const remedy = 'give the step more (memory), let it run alone, or raise SLIPWAY_RUN_MEMORY of the worker';
  return `${needed} (limit ${formatBytes(memoryBytes)}, its part of what the run may have: ${remedy})`;
}

/** What exit codes mean that a program seldom gives itself. */
const hints: Readonly<Record<number, string | undefined>> = {
  126: ' (the program cannot be run)',
  127: ' (the program was not found)',
  137: ' (killed)',
};

/** How long output may be silent after the end before it is given up. */
const drainMs = 2000;

/** Leaves a container to the run: its output goes on to the log, and its end is said there. */
function leave(job: CmdJob, { id, output }: Running): void {
  const { scope, io, step } = job;
  let isSilent = false;
  const say = (text: string): void => {
    if (!isSilent) io.output('system', text);
  };
  const silence = (): void => {
    isSilent = true;
    output.close();
  };
  job.keep({ id, ended: output.ended, silence });
  void scope.inBackground(`following the detached step ${step.id}`, async () => {
    const exit = await waitForExit(scope.engine, id, output.ended);
    scope.cpus.ended();
    await output.drain(drainMs);
    say(
      exit.isGone ? 'the detached container was removed' : `the detached container ended with exit code ${exit.code}`,
    );
  });
}

/** What is left to do with a container that has ended. */
function putAway(job: CmdJob, id: string): void {
  if (job.step.keep) job.keep({ id, ended: Promise.resolve(), silence: () => {} });
  else void discard(job, id);
}

/** Stops a container and resolves when it is gone. One that another attempt at the run has by now is left to it. */
async function stop({ scope, signal }: CmdJob, { id, output }: Running): Promise<Outcome> {
  if (isSuperseded(signal)) output.close();
  else await stopContainer(scope.engine, id);
  return canceledBy(signal);
}

/** Follows a container to its end; when the signal aborts, until it is gone. */
async function follow(job: CmdJob, running: Running): Promise<Outcome> {
  const { scope, signal } = job;
  const { id, output } = running;
  const ended = waitForExit(scope.engine, id, output.ended);
  ended.catch(() => undefined); // nobody waits for it once the step was stopped
  const aborted = createAbortWatch(signal);
  try {
    const exit = await Promise.race([ended, aborted.happened]);
    if (exit === 'aborted') {
      const outcome = await stop(job, running);
      if (!isSuperseded(signal)) await output.drain(drainMs);
      return outcome;
    }
    await output.drain(drainMs);
    if (!exit.isGone) await collectReport(job, running);
    const outcome = await describeExit(job, id, exit);
    putAway(job, id);
    return outcome;
  } finally {
    scope.cpus.ended();
    aborted.forget();
    output.close();
  }
}

interface AbortWatch {
  readonly happened: Promise<'aborted'>;
  forget(): void;
}

function createAbortWatch(signal: AbortSignal): AbortWatch {
  let tell = (): void => {};
  const happened = new Promise<'aborted'>((resolve) => {
    tell = () => {
      resolve('aborted');
    };
  });
  if (signal.aborted) tell();
  else signal.addEventListener('abort', tell, { once: true });
  return { happened, forget: () => signal.removeEventListener('abort', tell) };
}

/**
 * Goes along with a container: to its end, or, when its step is detached, only until it has got a follower of its own. When the signal
 * aborts, it resolves after the container is gone.
 */
export async function accompany(job: CmdJob, running: Running): Promise<Outcome> {
  if (!job.step.detach || isAborted(job.signal)) return follow(job, running);
  leave(job, running);
  return { kind: 'succeeded' };
}
