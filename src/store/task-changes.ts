import { fail, type FailureError } from '../domain/failure.ts';
import type { Task } from '../domain/task.ts';

/** What tasks are told apart by: their names without regard to letter case. */
export function taskKeyOf(name: string): string {
  return name.toLowerCase();
}

export function hasTimers(task: Task): boolean {
  return task.trigger.timerTriggers.length > 0;
}

/** The refusal of a writer who has seen `expected` (0: that there is no such task) where the task has version `found` (0: there is none). */
export function versionConflict(name: string, expected: number, found: number): FailureError {
  if (expected === 0) return fail('conflict', `there is a task ${name} already`);
  if (found === 0) return fail('conflict', `task ${name} was deleted in the meantime`);
  return fail('conflict', `task ${name} was changed in the meantime`, { hint: 'read it again, and repeat the change' });
}
