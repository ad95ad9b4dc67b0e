import { maskDependencies } from '../../domain/dependency-document.ts';
import { toFailure, type FailureReason } from '../../domain/failure.ts';
import type { RunRequest } from '../../domain/run-request.ts';
import type { BuildStep } from '../../domain/step.ts';
import type { Task } from '../../domain/task.ts';
import { createMasker } from '../../secret/mask.ts';
import type { Context, ContextWish } from '../../source/ports.ts';
import { findUnused, probesOf } from './check-followed.ts';
import type { LearnMeans } from './means.ts';
import { planAhead } from './plan-ahead.ts';
import type { ReadBuildOptions } from './read-build.ts';
import { readDockerfile, type FoundDockerfile } from './read-dockerfile.ts';
import { readPlans, type ReadPlans } from './read-plans.ts';

/** What was learned of a task before any run. */
export interface Learned extends ReadPlans {
  /** False: nothing could be read, and the first of the problems says why. */
  readonly isRead: boolean;
  /** True: the fault may pass by itself, so that it is worth trying again later. */
  readonly isPassing: boolean;
}

/** Faults of sources and of ours that may be over in a moment; the task itself is not to blame. */
const passing: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'source-unavailable',
  'storage-unavailable',
  'redis-unavailable',
  'rate-limited',
  'timed-out',
  'internal',
]);

/** A failure, and at what it happened. */
class Stuck extends Error {
  readonly what: string;

  constructor(what: string, cause: unknown) {
    super(what, { cause });
    this.what = what;
  }
}

async function say<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Stuck(what, error);
  }
}

interface Asked {
  readonly request: RunRequest;
  readonly sourceSecret?: string;
}

/** Values that must not stand in a record: an argument can hold one, and be part of a `FROM`. */
function secretsOf({ request, sourceSecret }: Asked): readonly string[] {
  const given = request.type === 'DockerBuildRequest' ? request.arguments : request.values;
  const values = given.filter(({ isSecret }) => isSecret).map(({ value }) => value);
  return sourceSecret === undefined ? values : [...values, sourceSecret];
}

function maskLearned({ images, stepImages, problems }: ReadPlans, asked: Asked): ReadPlans {
  const mask = createMasker(secretsOf(asked));
  const [masked] = maskDependencies([{ buildTime: stepImages }], mask);
  return {
    images: maskDependencies(images, mask),
    stepImages: masked?.buildTime ?? [],
    problems: problems.map((text) => mask(text).slice(0, 500)),
  };
}

/** The task's logins for registries, but for those in a vault: a task that is only read asks no vault. */
function credentialsOf({ request }: Asked): NonNullable<ContextWish['credentialFor']> {
  return async (host) => {
    const found = request.credentials.customRegistries[host];
    return found?.vaulted === undefined ? found : undefined;
  };
}

/** Reads each file once, however many steps and plans build it. */
function createFinder(context: Context | undefined, asked: Asked, means: LearnMeans, signal: AbortSignal) {
  const found = new Map<string, Promise<FoundDockerfile>>();
  const credentialFor = credentialsOf(asked);
  const openRemote = (url: string): Promise<Context> =>
    means.openContext(url, { secret: undefined, dockerfile: undefined, credentialFor, signal });
  return (step: BuildStep): Promise<FoundDockerfile> => {
    const key = JSON.stringify([step.context, step.dockerfile, step.workingDirectory]);
    const reading = found.get(key) ?? readDockerfile(step, context, openRemote);
    found.set(key, reading);
    return reading;
  };
}

/** What follows tags without effect, by what the task would stand on with them. */
async function checkFollowed(task: Task, means: LearnMeans, read: (request: RunRequest) => Promise<ReadPlans>) {
  const { baseImageTrigger: trigger } = task.trigger;
  if (trigger?.follow === undefined || trigger.follow.length === 0) return [];
  const { request } = await means.requestOf(task, probesOf(trigger));
  return findUnused(trigger, await read(request));
}

async function readTask(task: Task, asked: Asked, means: LearnMeans, signal: AbortSignal): Promise<ReadPlans> {
  const { request, sourceSecret: secret } = asked;
  const { sourceLocation } = request;
  const context =
    sourceLocation === undefined
      ? undefined
      : await say('the context could not be read', () =>
          means.openContext(sourceLocation, {
            ...{ secret, dockerfile: undefined, signal },
            credentialFor: credentialsOf(asked),
          }),
        );
  try {
    const wish = { context, signal };
    const triggersOf: ReadBuildOptions['triggersOf'] = (image, platform) =>
      means.triggersOf(image, platform, task.name);
    const options = {
      ...{ architecture: means.architecture, triggersOf, commit: context?.commit },
      find: createFinder(context, asked, means, signal),
      includesSteps: task.trigger.baseImageTrigger?.includesSteps === true,
    };
    const plan = (one: RunRequest) => say('the task could not be planned', () => planAhead(one, task, means, wish));
    const read = await readPlans(await plan(request), options);
    const unused = await checkFollowed(task, means, async (probing) =>
      readPlans(await plan(probing), { ...options, triggersOf: async () => [] }),
    );
    return { ...read, problems: [...read.problems, ...unused] };
  } finally {
    await context?.dispose();
  }
}

function describeFault(error: unknown, signal: AbortSignal): Learned {
  const { what, cause } = error instanceof Stuck ? error : { what: 'the task could not be read', cause: error };
  const { reason, message } = toFailure(cause);
  const text = signal.aborted ? 'it took too long' : message;
  const problems = [`${what}: ${text}`];
  return { images: [], stepImages: [], problems, isRead: false, isPassing: signal.aborted || passing.has(reason) };
}

/**
 * Reads what a task's images will stand on out of its context, before any run. Never rejects: why nothing was learned is among the problems.
 * @param signal ends it early.
 */
export async function learnTask(task: Task, means: LearnMeans, signal?: AbortSignal): Promise<Learned> {
  const limit = AbortSignal.timeout(means.timeoutMs);
  const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  try {
    const asked = await say('the task’s secrets could not be opened', () => means.requestOf(task));
    const read = maskLearned(await readTask(task, asked, means, either), asked);
    return { ...read, isRead: true, isPassing: false };
  } catch (error) {
    return describeFault(error, either);
  }
}
