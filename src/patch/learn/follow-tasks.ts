import type { TaskImages } from '../../domain/base-image.ts';
import type { Task } from '../../domain/task.ts';
import type { PatchQueue } from '../../queue/ports.ts';
import type { BaseImageStore, TaskStore } from '../../store/ports.ts';
import { withTrigger } from './task-images.ts';

export interface FollowTasksOptions {
  readonly baseImages: Pick<BaseImageStore, 'update' | 'delete'>;
  readonly queue: Pick<PatchQueue, 'publish'>;
}

/** What of a task's trigger says how its images are read. */
function readingOf({ trigger }: Task): string {
  const { includesSteps = false, follow = [] } = trigger.baseImageTrigger ?? {};
  return JSON.stringify([includesSteps, follow]);
}

/** True when nothing has changed that what its images stand on can hang on. Secrets are sealed anew with each change: they may be others. */
function readsTheSame(before: Task, after: Task): boolean {
  const isSame = JSON.stringify([before.step, before.platform]) === JSON.stringify([after.step, after.platform]);
  return isSame && before.sealedSecrets === after.sealedSecrets && readingOf(before) === readingOf(after);
}

/** The record of the version before, good for the one after it too. */
function moveOn(record: TaskImages, before: Task, after: Task): TaskImages {
  const isGood = record.taskVersion === before.version && record.problems.length === 0 && readsTheSame(before, after);
  return withTrigger(isGood ? { ...record, taskVersion: after.version } : record, after);
}

/**
 * Makes the part of the API's `onTaskChanged` that is about base images: the trigger and status of a task are followed at once, and what its
 * images stand on is read anew by a `learn` job where it may have changed. Rejects with `redis-unavailable`; calling again is harmless.
 */
export function createTaskFollower({ baseImages, queue }: FollowTasksOptions) {
  return async (before: Task | undefined, after: Task | undefined): Promise<void> => {
    if (after === undefined) {
      if (before) await baseImages.delete(before.name);
      return;
    }
    // What is known of a task of the same name that is gone says nothing of a new one.
    if (before === undefined) await baseImages.delete(after.name);
    const known = await baseImages.update(after.name, (record) => {
      if (before === undefined || record === undefined || record.taskVersion > after.version) return undefined;
      return moveOn(record, before, after);
    });
    if ((known?.taskVersion ?? 0) >= after.version) return;
    await queue.publish({ kind: 'learn', task: after.name, taskVersion: after.version });
  };
}

export interface ReconcileOptions extends FollowTasksOptions {
  readonly baseImages: Pick<BaseImageStore, 'update' | 'delete' | 'changes'>;
  readonly tasks: Pick<TaskStore, 'list'>;
}

const pageTasks = 200;

/** Follows one task as it is now, whatever was missed of it. A record of a later version is one of a task that was deleted. */
async function catchUp(task: Task, record: TaskImages | undefined, options: ReconcileOptions): Promise<void> {
  const isOfAnother = record !== undefined && record.taskVersion > task.version;
  if (isOfAnother) await options.baseImages.delete(task.name);
  if (record?.taskVersion !== task.version) {
    await options.queue.publish({ kind: 'learn', task: task.name, taskVersion: task.version });
  }
  if (record === undefined || isOfAnother || JSON.stringify(withTrigger(record, task)) === JSON.stringify(record))
    return;
  await options.baseImages.update(task.name, (now) => now && withTrigger(now, task));
}

/**
 * Makes the records what the tasks say: has those learned that are unknown, as after an upgrade or when a process was lost at the wrong
 * moment, and forgets those of tasks that are gone. To be done at every start. Rejects with `redis-unavailable`.
 */
export async function reconcileTaskImages(options: ReconcileOptions): Promise<void> {
  const { records } = await options.baseImages.changes();
  const known = new Map(records.map((record) => [record.task.toLowerCase(), record]));
  let after: string | undefined;
  do {
    const page = await options.tasks.list({ limit: pageTasks, ...(after !== undefined && { after }) });
    for (const task of page.tasks) {
      const key = task.name.toLowerCase();
      await catchUp(task, known.get(key), options);
      known.delete(key);
    }
    after = page.next;
  } while (after !== undefined);
  for (const { task } of known.values()) await options.baseImages.delete(task);
}
