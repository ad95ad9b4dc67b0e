import { fail, FailureError, type FailureReason } from '../../domain/failure.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { canceledBy } from './canceled.ts';
import { containerName, discard, failed, type CmdJob } from './cmd-job.ts';
import { createOutputReader, followOutput, type FollowedOutput } from './container-output.ts';
import { assertConfined, describeContainer } from './container-spec.ts';
import { attachContainer, createContainer, inspectContainer, readContainerLog, removeContainer } from './container.ts';
import { EngineRefusal } from './errors.ts';
import { accompany, type Running } from './follow-container.ts';
import { oneLine } from './progress-words.ts';
import { findStepImage } from './step-image.ts';
import { tapStdout } from './step-report.ts';
import { placeOutputFile, withOutputVariable } from './step-outputs.ts';

/** Faults of the step itself; others are ours. */
const stepFaults: readonly FailureReason[] = ['unsupported', 'invalid-request', 'invalid-context', 'too-large'];

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

interface Created {
  readonly id: string;
  readonly isTerminal: boolean;
  /** To be called once it runs, or never will. */
  readonly release: () => void;
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
  const source = {
    scope,
    step: withOutputVariable(step),
    attempt,
    image,
    place,
    hasInit,
    mounts: volumes.mountsOf(step),
  };
  const spec = describeContainer(source, (volume, path) => volumes.mount(volume, path));
  const id = await createContainer(scope.engine, containerName(job), spec);
  let release = (): void => undefined;
  try {
    release = await volumes.fill({ id, image: image.id }, step);
    await placeOutputFile(scope.engine, id, step);
  } catch (error) {
    release();
    void discard(job, id);
    throw error;
  }
  return { id, isTerminal: spec.isTerminal, release };
}

/** True when the engine's own small init program is not installed beside it. */
function isInitMissing(error: unknown): boolean {
  return error instanceof EngineRefusal && error.message.includes('docker-init');
}

/** Starts a container; `no-init` when that needs a program of the engine that is not there. The container is gone unless it runs. */
async function start(job: CmdJob, { id, isTerminal }: Created): Promise<Running | Outcome | 'no-init'> {
  const { engine, setup, cpus, limits } = job.scope;
  const { nanoCpus } = limits.of(job.step);
  let output: FollowedOutput | undefined;
  const begun = setup.begin?.(job.step.id, job.attempt);
  begun?.catch(() => undefined); // awaited below
  try {
    const stdout = tapStdout(setup);
    output = followOutput(await attachContainer(engine, id), createOutputReader(job.io, isTerminal, stdout?.take));
    await begun;
    const started = { method: 'POST', path: `/containers/${id}/start`, deadlineMs: 120_000 } as const;
    await cpus.starting(id, nanoCpus, () => engine.json(started));
    return { id, output, stdout };
  } catch (error) {
    output?.close();
    await discard(job, id);
    return isInitMissing(error) && job.hasInit !== false ? 'no-init' : describeStartFault(error);
  }
}

/** Makes a container and starts it. */
async function bringUp(job: CmdJob): ReturnType<typeof start> {
  const created = await create(job);
  if (!created) return canceledBy(job.signal);
  if (job.signal.aborted) {
    created.release();
    await removeContainer(job.scope.engine, created.id);
    return canceledBy(job.signal);
  }
  return start(job, created).finally(created.release);
}

async function runContainer(job: CmdJob): Promise<Outcome> {
  const running = await job.startups.during(() => bringUp(job));
  if (running === 'no-init') return runContainer({ ...job, hasInit: false });
  if ('kind' in running) return running;
  return accompany(job, running);
}

/** Goes on with a container that an earlier attempt at the run has started: its whole output is told again, from the beginning. */
async function takeOver(job: CmdJob): Promise<Outcome> {
  const { scope, step, io } = job;
  const { engine } = scope;
  const found = await inspectContainer(engine, containerName(job));
  if (!found && step.detach) {
    io.output('system', 'the detached container was gone when its worker was back');
    return { kind: 'succeeded' };
  }
  if (!found) {
    const what = `step ${step.id}: its container was gone when its worker was back`;
    throw fail('internal', `${what}, and it is not run a second time`);
  }
  if (found.status === 'created') return runContainer(job);
  const stdout = tapStdout(scope.setup);
  const reader = createOutputReader(io, found.isTerminal, stdout?.take);
  const output = followOutput(await readContainerLog(engine, found.id), reader);
  return accompany(job, { id: found.id, output, stdout });
}

/**
 * Runs a container to its end (a detached one to its start) and resolves with what it came to; when the signal aborts, after it is gone.
 * Its output goes to `io` line by line. A try that an earlier attempt at the run had begun is taken over. Rejects with `engine-unavailable`
 * when the engine went away, with `internal` when such a container is gone, and with whatever failure of ours kept the context away.
 */
export async function runCmd(job: CmdJob): Promise<Outcome> {
  if (job.signal.aborted) return canceledBy(job.signal);
  try {
    const isBegun = job.scope.setup.begunTries?.get(job.step.id) === job.attempt;
    return await (isBegun ? takeOver(job) : runContainer(job));
  } catch (error) {
    return describeFault(error);
  }
}
