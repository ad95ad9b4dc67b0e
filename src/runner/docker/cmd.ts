import { FailureError, type FailureReason } from '../../domain/failure.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { CmdStep } from '../../domain/step.ts';
import type { StepIo } from '../../engine/ports.ts';
import { canceledBy, isAborted } from './canceled.ts';
import { createOutputReader, followOutput, type FollowedOutput } from './container-output.ts';
import { assertConfined, describeContainer, type ContainerSpec } from './container-spec.ts';
import {
  attachContainer,
  createContainer,
  isOutOfMemory,
  removeContainer,
  stopContainer,
  waitForExit,
  type Exit,
} from './container.ts';
import { EngineRefusal } from './errors.ts';
import type { RunNetworks } from './network.ts';
import { oneLine } from './progress-words.ts';
import { nameOf, type RunScope } from './scope.ts';
import { findStepImage } from './step-image.ts';
import type { RunVolumes } from './volumes.ts';

/** One try of a cmd step. */
export interface CmdJob {
  readonly scope: RunScope;
  readonly networks: RunNetworks;
  readonly volumes: RunVolumes;
  readonly step: CmdStep;
  readonly io: StepIo;
  readonly signal: AbortSignal;
  /** From 1. */
  readonly attempt: number;
  /** Takes over a container that outlives its step; it ends with the run. */
  readonly keep: (kept: KeptContainer) => void;
  /** False for an engine that cannot give containers a first process that reaps others and hands signals on. */
  readonly hasInit?: boolean;
}

/** A container that is there until the end of the run. */
export interface KeptContainer {
  readonly id: string;
  /** Resolves when its output is over. */
  readonly ended: Promise<void>;
  /** Nothing is written to the log any more after this. */
  readonly silence: () => void;
}

/** Faults of the step itself; others are ours. */
const stepFaults: readonly FailureReason[] = ['unsupported', 'invalid-request', 'invalid-context', 'too-large'];

const failed = (message: string, exitCode?: number): Outcome => ({
  kind: 'failed',
  message,
  ...(exitCode !== undefined && { exitCode }),
});

/** What a step came to that did not get as far as an exit code of its own. Rethrows what is no fault of the step. */
function describeFault(error: unknown): Outcome {
  if (error instanceof FailureError && stepFaults.includes(error.failure.reason)) return failed(error.failure.message);
  if (error instanceof EngineRefusal) return failed(`the container could not be made: ${oneLine(error.message)}`);
  throw error;
}

/** The exit codes that `docker run` gives where a container does not start. */
function describeStartFault(error: unknown): Outcome {
  if (!(error instanceof EngineRefusal)) throw error;
  const words = oneLine(error.message);
  const why = /exec: (.+?): unknown$|exec: (.+)$/.exec(words);
  if (/executable file not found|no such file or directory/.test(words) && why)
    return failed(`the container did not start: ${why[1] ?? why[2] ?? words}`, 127);
  if (/permission denied|is a directory/.test(words) && why)
    return failed(`the container did not start: ${why[1] ?? why[2] ?? words}`, 126);
  return failed(`the container did not start: ${words}`, 125);
}

async function describeExit({ scope, step }: CmdJob, id: string, { code, isGone }: Exit): Promise<Outcome> {
  if (code === 0) return { kind: 'succeeded' };
  if (isGone) return failed('the container was removed while it ran', code);
  const isKilled = code === 137 && (await isOutOfMemory(scope.engine, id));
  if (isKilled) return failed(describeHunger(step), code);
  return failed(`exit code ${code}${hints[code] ?? ''}`, code);
}

function describeHunger(step: CmdStep): string {
  const limit = step.memory === undefined ? '' : ` (limit ${step.memory})`;
  return `the container needed more memory than it may have${limit}`;
}

/** What exit codes mean that a program seldom gives itself. */
const hints: Readonly<Record<number, string | undefined>> = {
  126: ' (the program cannot be run)',
  127: ' (the program was not found)',
  137: ' (killed)',
};

interface Created {
  readonly id: string;
  readonly spec: ContainerSpec;
}

/** Makes all that the container needs, and the container; undefined when the signal has aborted meanwhile. */
async function create(job: CmdJob): Promise<Created | undefined> {
  const { scope, networks, volumes, step, attempt } = job;
  assertConfined(scope, step);
  const placed = networks.place(step);
  placed.catch(() => undefined); // awaited below
  const image = await findStepImage(job);
  const place = await placed;
  if (!image || job.signal.aborted) return undefined;
  const { hasInit = true } = job;
  const source = { scope, step, attempt, image, place, hasInit, mounts: volumes.mountsOf(step) };
  const spec = describeContainer(source, (volume, path) => volumes.mount(volume, path));
  const id = await createContainer(scope.engine, nameOf(scope, step.id, attempt), spec);
  try {
    await volumes.fill({ id, image: image.id }, step);
  } catch (error) {
    void discard(job, id);
    throw error;
  }
  return { id, spec };
}

function discard({ scope }: CmdJob, id: string): Promise<void> {
  return scope.inBackground('removing a container', () => removeContainer(scope.engine, id));
}

interface Running extends Created {
  readonly output: FollowedOutput;
}

/** True when the engine's own small init program is not installed beside it. */
function isInitMissing(error: unknown): boolean {
  return error instanceof EngineRefusal && error.message.includes('docker-init');
}

/** Starts a container; `no-init` when that needs a program of the engine that is not there. The container is gone unless it runs. */
async function start(job: CmdJob, { id, spec }: Created): Promise<Running | Outcome | 'no-init'> {
  const { engine } = job.scope;
  let output: FollowedOutput | undefined;
  try {
    output = followOutput(await attachContainer(engine, id), createOutputReader(job.io, spec.isTerminal));
    await engine.json({ method: 'POST', path: `/containers/${id}/start`, deadlineMs: 120_000 });
    return { id, spec, output };
  } catch (error) {
    output?.close();
    await discard(job, id);
    return isInitMissing(error) && job.hasInit !== false ? 'no-init' : describeStartFault(error);
  }
}

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
    await output.drain(drainMs);
    say(
      exit.isGone ? 'the detached container was removed' : `the detached container ended with exit code ${exit.code}`,
    );
  });
}

/** Follows a container to its end; when the signal aborts, until it is gone. */
async function follow(job: CmdJob, { id, output }: Running): Promise<Outcome> {
  const { scope, signal } = job;
  let stopped: Promise<void> | undefined;
  const stop = (): void => {
    stopped = stopContainer(scope.engine, id);
    stopped.catch(() => undefined); // awaited below
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    const exit = await waitForExit(scope.engine, id, output.ended);
    await output.drain(drainMs);
    if (!stopped) return await describeExit(job, id, exit);
    await stopped;
    return canceledBy(signal);
  } finally {
    signal.removeEventListener('abort', stop);
    output.close();
    if (stopped) await stopped;
    else if (job.step.keep) job.keep({ id, ended: Promise.resolve(), silence: () => {} });
    else void discard(job, id);
  }
}

async function runContainer(job: CmdJob): Promise<Outcome> {
  const created = await create(job);
  if (!created) return canceledBy(job.signal);
  if (job.signal.aborted) {
    await removeContainer(job.scope.engine, created.id);
    return canceledBy(job.signal);
  }
  const running = await start(job, created);
  if (running === 'no-init') return runContainer({ ...job, hasInit: false });
  if ('kind' in running) return running;
  if (!job.step.detach || isAborted(job.signal)) return follow(job, running);
  leave(job, running);
  return { kind: 'succeeded' };
}

/**
 * Runs a container to its end (a detached one to its start) and resolves with what it came to; when the signal aborts, after it is gone.
 * Its output goes to `io` line by line. Rejects with `engine-unavailable` when the engine went away, and with whatever failure of ours kept
 * the context away.
 */
export async function runCmd(job: CmdJob): Promise<Outcome> {
  if (job.signal.aborted) return canceledBy(job.signal);
  try {
    return await runContainer(job);
  } catch (error) {
    return describeFault(error);
  }
}
