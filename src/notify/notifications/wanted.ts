import { compileGlob, matchesGlob } from '../../domain/glob.ts';
import type { Notification, NotificationEvent } from '../../domain/notification.ts';
import type { Run } from '../../domain/run.ts';

/** True when a notification is to be told of this event of a run. Patterns of tasks ignore letter case, as task names do. */
export function isWanted(
  { status, events, tasks }: Pick<Notification, 'status' | 'events' | 'tasks'>,
  event: NotificationEvent,
  { task }: Pick<Run, 'task'>,
): boolean {
  if (status === 'Disabled' || !events.includes(event)) return false;
  if (tasks === undefined) return true;
  return task !== undefined && tasks.some((pattern) => matches(pattern, task));
}

function matches(pattern: string, task: string): boolean {
  const glob = compileGlob(pattern.toLowerCase());
  return glob !== undefined && matchesGlob(glob, task.toLowerCase());
}
