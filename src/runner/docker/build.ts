import type { Outcome } from '../../domain/outcome.ts';
import { describeContextFault, openContext, type OpenContext } from './build-context.ts';
import type { Builder, BuildJob, BuildReport, EngineFault } from './build-job.ts';
import { canceledBy } from './canceled.ts';
import { EngineRefusal, engineUnavailable } from './errors.ts';
import { errorOf, readMessages } from './json-lines.ts';
import { warnOfLeaks } from './secret-leak.ts';

/** How the engine's answer to a build ended. */
type End =
  | { readonly kind: 'done' }
  | { readonly kind: 'fault'; readonly fault: EngineFault }
  | { readonly kind: 'broken'; readonly cause: unknown };

/** The query of `POST /build`: the step's options, then the builder's. Intermediate containers never stay. */
function buildQuery(
  { step, dockerfile, query }: BuildJob,
  builder: Builder,
): Record<string, string | readonly string[] | undefined> {
  const buildArguments = Object.fromEntries(step.arguments.map(({ name, value }) => [name, value]));
  return {
    t: step.tags,
    dockerfile: dockerfile ?? step.dockerfile,
    target: step.target,
    platform: step.platform,
    buildargs: step.arguments.length > 0 ? JSON.stringify(buildArguments) : undefined,
    nocache: step.noCache ? '1' : undefined,
    rm: '1',
    forcerm: '1',
    ...query,
    ...builder.query,
  };
}

/** Sends the context and follows the answer to its end; never rejects. */
async function converse(job: BuildJob, builder: Builder, source: OpenContext, signal: AbortSignal): Promise<End> {
  try {
    const answer = await job.engine.stream({
      method: 'POST',
      path: '/build',
      query: buildQuery(job, builder),
      headers: { 'Content-Type': 'application/x-tar', ...builder.headers },
      file: source.stream,
      signal,
      deadlineMs: 'none',
    });
    let fault: EngineFault | undefined;
    await readMessages(answer, (message) => {
      fault ??= errorOf(message);
      builder.take(message);
    });
    return fault ? { kind: 'fault', fault } : { kind: 'done' };
  } catch (error) {
    return error instanceof EngineRefusal
      ? { kind: 'fault', fault: { message: error.message } }
      : { kind: 'broken', cause: error };
  }
}

/** Follows a build until it has ended or, once the signal aborts, until it has really stopped. */
async function endOf(job: BuildJob, builder: Builder, source: OpenContext, connection: AbortController): Promise<End> {
  const { signal } = job;
  const disconnect = (): void => connection.abort();
  const ended = converse(job, builder, source, connection.signal);
  let stopped: Promise<void> | undefined;
  const stop = (): void => {
    // No instruction runs before the context is there, and an engine that waits for it does not hear a cancel.
    if (!source.isRead()) disconnect();
    stopped = builder.stop(ended, disconnect);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const end = await ended;
  signal.removeEventListener('abort', stop);
  await stopped;
  return end;
}

function outcomeOf(job: BuildJob, builder: Builder, source: OpenContext, end: End): Outcome {
  if (job.signal.aborted) return canceledBy(job.signal);
  const fault = source.fault();
  if (fault !== undefined) return describeContextFault(fault);
  if (end.kind === 'broken') throw engineUnavailable('the container engine went away during the build', end.cause);
  if (end.kind === 'fault') return builder.describe(end.fault);
  if (builder.imageId === undefined) throw engineUnavailable('the container engine ended the build without a result');
  return { kind: 'succeeded' };
}

async function buildFrom(job: BuildJob, builder: Builder): Promise<Outcome> {
  const connection = new AbortController();
  let source: OpenContext;
  try {
    source = await openContext(job.context, () => connection.abort());
  } catch (error) {
    return job.signal.aborted ? canceledBy(job.signal) : describeContextFault(error);
  }
  try {
    const end = await endOf(job, builder, source, connection);
    builder.flush();
    return outcomeOf(job, builder, source, end);
  } finally {
    source.stream.destroy();
  }
}

/**
 * Builds a Dockerfile out of a context that is streamed straight to the engine, and tags the image.
 * Resolves with what the build came to; when the signal aborts, only after the engine has stopped working on it.
 * Rejects with `engine-unavailable` when the engine went away, and with whatever failure of ours kept the context away.
 */
export async function runBuild(job: BuildJob, createBuilder: (job: BuildJob) => Builder): Promise<BuildReport> {
  const none = { vertices: [], bases: [] };
  if (job.signal.aborted) return { outcome: canceledBy(job.signal), ...none };
  const builder = createBuilder(job);
  const outcome = await buildFrom(job, builder).finally(() => builder.close().catch(() => undefined));
  // A build that failed for want of its session says so in the engine's words only; the cause is ours.
  if (outcome.kind === 'failed') await builder.close();
  const { imageId, remains, vertices, bases } = builder;
  const known = { outcome, vertices, bases };
  if (outcome.kind !== 'succeeded' || imageId === undefined) return { ...known, ...(remains && { remains }) };
  await warnOfLeaks(job, imageId);
  return { ...known, imageId };
}
