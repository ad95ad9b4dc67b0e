import type { ImageAtDigest } from '../domain/base-image.ts';
import { FailureError, type FailureReason } from '../domain/failure.ts';
import type { RunCause } from '../domain/run-cause.ts';
import type { Argument } from '../domain/run-request.ts';
import type { RunId } from '../domain/run.ts';
import { inSlices } from '../domain/slices.ts';
import type { Task, TaskName } from '../domain/task.ts';
import type { TaskStore } from '../store/ports.ts';
import { openTaskSecrets } from './sealed-secrets.ts';
import { announceMade, submitMany, type SubmitManyDeps, type SubmittedOne } from './submit-many.ts';
import type { Submission } from './submit.ts';
import { requestOfTask } from './task-request.ts';

/** A run that a campaign wants of a task. */
export interface ImageUpdateRun {
  readonly task: TaskName;
  readonly campaign: string;
  /** 1 for the first one in this campaign. */
  readonly try: number;
  readonly images: readonly ImageAtDigest[];
  /** Build arguments, or values of a task file, that are set in place of the task's: the tags that it follows. */
  readonly arguments?: Readonly<Record<string, string>>;
}

export interface ImageUpdateDeps extends SubmitManyDeps {
  readonly tasks: Pick<TaskStore, 'getMany'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Prepared = { readonly submission: Submission } | { readonly because: string };

function causeOf(wanted: ImageUpdateRun, { trigger }: Task, now: number): RunCause {
  const { images, campaign } = wanted;
  const strategy = trigger.baseImageTrigger?.strategy;
  return {
    kind: 'image-update',
    id: campaign,
    timestamp: new Date(now).toISOString(),
    images,
    campaign,
    ...(strategy !== undefined && strategy !== 'rebuild' && { strategy }),
  };
}

function followedOf({ arguments: set = {} }: ImageUpdateRun): readonly Argument[] {
  return Object.entries(set).map(([name, value]) => ({ name, value, isSecret: false, isFollowed: true }));
}

/** What does not pass by itself: to ask again would come to the same. */
const lasting: ReadonlySet<FailureReason> = new Set<FailureReason>(['invalid-request', 'not-found', 'conflict']);

function prepare(deps: ImageUpdateDeps, wanted: ImageUpdateRun, task: Task | undefined): Prepared {
  if (task === undefined) return { because: 'the task is gone' };
  if (task.status === 'Disabled') return { because: 'the task is disabled' };
  try {
    const secrets = openTaskSecrets(deps.key, task.sealedSecrets);
    const { request, sourceSecret } = requestOfTask(task, secrets, { followed: followedOf(wanted) });
    return {
      submission: {
        request,
        sourceSecret,
        task,
        cause: causeOf(wanted, task, deps.now()),
        idempotencyKey: `campaign/${wanted.campaign}/${task.name.toLowerCase()}/${String(wanted.try)}`,
      },
    };
  } catch (error) {
    if (!(error instanceof FailureError) || !lasting.has(error.failure.reason)) throw error;
    return { because: error.failure.message };
  }
}

/** What came of a run that was wanted. */
export type ImageUpdateStart = { readonly runId: RunId } | { readonly because: string };

/** How many tasks are read while runs of the ones before are made. */
const sliceSize = 250;

interface Started {
  readonly start: ImageUpdateStart;
  readonly submitted?: SubmittedOne;
}

function describe(submitted: SubmittedOne | undefined): Started {
  if (submitted === undefined) return { start: { because: 'the run was not made' } };
  if ('refused' in submitted) return { start: { because: submitted.refused.failure.message }, submitted };
  return { start: { runId: submitted.run.runId }, submitted };
}

async function startSlice(deps: ImageUpdateDeps, wanted: readonly ImageUpdateRun[]): Promise<readonly Started[]> {
  const tasks = await deps.tasks.getMany(wanted.map(({ task }) => task));
  const prepared = wanted.map((one, at) => prepare(deps, one, tasks[at]));
  const submissions = prepared.flatMap((one) => ('submission' in one ? [one.submission] : []));
  // They are told of when all are queued.
  const submitted = await submitMany({ ...deps, notices: undefined }, submissions);
  let next = 0;
  return prepared.map((one) => ('because' in one ? { start: one } : describe(submitted[next++])));
}

/**
 * Makes and queues the runs that a campaign wants, in the lane of patches; asking again comes to the same runs. For each, in order, the run
 * or why there can be none. Rejects with `redis-unavailable`: some may have been made then.
 */
export async function startImageUpdates(
  deps: ImageUpdateDeps,
  wanted: readonly ImageUpdateRun[],
): Promise<readonly ImageUpdateStart[]> {
  const started = await inSlices(wanted, sliceSize, (slice) => startSlice(deps, slice));
  announceMade(
    deps,
    started.flatMap(({ submitted }) => submitted ?? []),
  );
  return started.map(({ start }) => start);
}
