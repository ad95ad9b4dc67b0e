import type { Argument } from '../domain/run-request.ts';
import type { Task } from '../domain/task.ts';
import type { InstallationKey } from '../secret/key-ring.ts';
import { openTaskSecrets } from './sealed-secrets.ts';
import { requestOfTask, type TaskRun, type TaskRunOptions } from './task-request.ts';

/** What it takes to make of a task, as it is kept, the request of a run. */
export interface TaskRunDeps {
  /** The installation's key: opens the task's secrets. */
  readonly key: InstallationKey;
  /** The arguments, or values, that hold the newest tags which the task follows. Rejects with `redis-unavailable`. */
  readonly findFollowed: (task: Task) => Promise<readonly Argument[]>;
}

/**
 * The request of a run of a task that is not started by a base image: on the newest tags that it follows, unless the overrides say otherwise.
 * Rejects as {@link requestOfTask} throws, with `internal` when the key is another one, and with `redis-unavailable`.
 */
export async function requestOfRun(
  { key, findFollowed }: TaskRunDeps,
  task: Task,
  options: Omit<TaskRunOptions, 'followed'> = {},
): Promise<TaskRun> {
  const secrets = openTaskSecrets(key, task.sealedSecrets);
  return requestOfTask(task, secrets, { ...options, followed: await findFollowed(task) });
}
