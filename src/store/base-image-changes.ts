import type { TaskName } from '../domain/task.ts';

/** Of how many removed records a store can still say that they were removed: the last ones. */
export const maxRemovedRecords = 1000;

/** A task's key as `removed` of `BaseImageStore.changes` names it. */
export function removedName(key: string): TaskName {
  return key as TaskName;
}
