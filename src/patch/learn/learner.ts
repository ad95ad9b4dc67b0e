import type { Logger } from 'pino';
import type { Clock } from '../../domain/clock.ts';
import { fail } from '../../domain/failure.ts';
import type { Task } from '../../domain/task.ts';
import type { PatchJob } from '../../queue/ports.ts';
import type { BaseImageStore, TaskStore } from '../../store/ports.ts';
import { learnTask } from './learn-task.ts';
import type { LearnMeans } from './means.ts';
import { afterLearning } from './task-images.ts';

export interface LearnerOptions {
  readonly tasks: Pick<TaskStore, 'get'>;
  readonly baseImages: Pick<BaseImageStore, 'get' | 'update' | 'delete'>;
  readonly means: LearnMeans;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info'>;
}

type LearnJob = Extract<PatchJob, { readonly kind: 'learn' }>;

/** A job is handed out again after a worker was lost: what is known need not be read again. */
async function isKnown({ baseImages }: LearnerOptions, { name, version }: Task): Promise<boolean> {
  const record = await baseImages.get(name);
  return record !== undefined && record.taskVersion >= version && record.problems.length === 0;
}

/** A task may be deleted while its context is read: nothing of it may come back then. */
async function removeIfGone({ tasks, baseImages }: LearnerOptions, { name }: Task): Promise<void> {
  if ((await tasks.get(name)) === undefined) await baseImages.delete(name);
}

/**
 * Makes the handler of `learn` jobs: reads what a task's images stand on out of its context, and keeps it, or why it is not known. It always
 * reads the task as it is now. Rejects, to be called again later, with `redis-unavailable`, and with `source-unavailable` where the source
 * cannot be read at the moment (what is wrong is kept before).
 */
export function createLearner(options: LearnerOptions): (job: LearnJob, signal?: AbortSignal) => Promise<void> {
  const { tasks, baseImages, means, clock, logger } = options;
  return async (job, signal) => {
    const task = await tasks.get(job.task);
    if (task === undefined) return baseImages.delete(job.task);
    if (await isKnown(options, task)) return undefined;
    const learned = await learnTask(task, means, signal);
    // Whoever ends it early will have it done again: that it was ended is no news of the task.
    signal?.throwIfAborted();
    const at = new Date(clock.now()).toISOString();
    await baseImages.update(task.name, (before) => afterLearning(before, task, learned, at));
    await removeIfGone(options, task);
    const { images, problems, isPassing } = learned;
    logger.info({ task: task.name, images: images.length, problems }, 'learned what a task’s images stand on');
    if (isPassing)
      throw fail('source-unavailable', `task ${task.name}: ${problems[0] ?? 'its context cannot be read'}`);
  };
}
