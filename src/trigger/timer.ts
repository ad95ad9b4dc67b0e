import type { Logger } from 'pino';
import { FailureError, type FailureReason } from '../domain/failure.ts';
import type { Task, TimerTrigger } from '../domain/task.ts';
import type { TimerOccurrence, TimerQueue } from '../queue/ports.ts';
import type { TaskStore } from '../store/ports.ts';
import { requestOfRun, type TaskRunDeps } from './run-of-task.ts';
import { submitRun, type SubmitDeps } from './submit.ts';

export interface TimerTriggerDeps extends SubmitDeps, TaskRunDeps {
  readonly tasks: Pick<TaskStore, 'get'>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** What is no fault of the task, and may be over the next time. */
const passing: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'redis-unavailable',
  'storage-unavailable',
  'internal',
]);

function findTimer(task: Task, name: string): TimerTrigger | undefined {
  return task.trigger.timerTriggers.find((timer) => timer.name === name);
}

/** Why the task, as it is now, has nothing to do at this time; undefined: it has. */
function findObstacle(task: Task, timer: TimerTrigger): string | undefined {
  const own = findTimer(task, timer.name);
  if (task.status === 'Disabled') return 'the task is disabled';
  if (own === undefined) return 'the timer is gone';
  if (own.status === 'Disabled') return 'the timer is disabled';
  const isSame = own.schedule === timer.schedule && (own.timeZone ?? 'UTC') === (timer.timeZone ?? 'UTC');
  return isSame ? undefined : 'the timer has another schedule now';
}

async function start(deps: TimerTriggerDeps, task: Task, { timer, at }: TimerOccurrence): Promise<void> {
  const { request, sourceSecret } = await requestOfRun(deps, task);
  const { run, created } = await submitRun(deps, {
    request,
    sourceSecret,
    task,
    cause: { kind: 'timer', timerTriggerName: timer.name, scheduleOccurrence: at },
    idempotencyKey: `timer/${task.name.toLowerCase()}/${timer.name}/${at}`,
  });
  const what = { task: task.name, timer: timer.name, at, runId: run.runId };
  deps.logger.info(what, created ? 'a timer started a run' : 'this run of a timer was there already');
}

/**
 * Turns an occurrence of a timer into a run, once however often it is told. An occurrence that its task no longer has, or cannot be run,
 * is logged and left. Rejects with what passes (`redis-unavailable`, `storage-unavailable`, `internal`): then it is to be told again.
 */
export function createTimerTrigger(deps: TimerTriggerDeps): (occurrence: TimerOccurrence) => Promise<void> {
  return async (occurrence) => {
    const { task: name, timer, at } = occurrence;
    const task = await deps.tasks.get(name);
    const obstacle = task === undefined ? 'the task is gone' : findObstacle(task, timer);
    if (task === undefined || obstacle !== undefined) {
      deps.logger.info({ task: name, timer: timer.name, at, because: obstacle }, 'an occurrence of a timer is ignored');
      return;
    }
    try {
      await start(deps, task, occurrence);
    } catch (error) {
      if (!(error instanceof FailureError) || passing.has(error.failure.reason)) throw error;
      deps.logger.warn({ err: error, task: name, timer: timer.name, at }, 'an occurrence of a timer cannot be run');
    }
  };
}

/** The timers that are to be set for a task, as it is. */
export function timersOf(task: Task | undefined): readonly TimerTrigger[] {
  if (task?.status !== 'Enabled') return [];
  return task.trigger.timerTriggers.filter(({ status }) => status === 'Enabled');
}

/** Sets the timers of a task after it was changed: `onTaskChanged` of the API. Rejects as the queue does. */
export function createTimerUpdate(timers: Pick<TimerQueue, 'set'>) {
  return async (before: Task | undefined, after: Task | undefined): Promise<void> => {
    const name = (after ?? before)?.name;
    const [had, wanted] = [timersOf(before), timersOf(after)];
    if (name !== undefined && had.length + wanted.length > 0) await timers.set(name, wanted);
  };
}

export interface ReconcileDeps {
  readonly timers: Pick<TimerQueue, 'set' | 'removeAll' | 'listTasks'>;
  readonly tasks: Pick<TaskStore, 'listWithTimers'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Makes the timers what the tasks say, and makes up for what was missed. To be done at every start and now and then: what a lost process
 * left half done is put right. A task whose timers cannot be set is logged, and does not keep the others from theirs; rejects with
 * `redis-unavailable`.
 */
export async function reconcileTimers({ timers, tasks, logger }: ReconcileDeps): Promise<void> {
  // In this order: a task that is made in between is in both lists or only in the second one.
  const known = new Set(await timers.listTasks());
  for (const task of await tasks.listWithTimers()) {
    const wanted = timersOf(task);
    const isKnown = known.delete(task.name.toLowerCase());
    if (wanted.length === 0 && !isKnown) continue;
    await timers.set(task.name, wanted).catch((error: unknown) => {
      if (error instanceof FailureError && error.failure.reason === 'redis-unavailable') throw error;
      logger.warn({ err: error, task: task.name }, 'the timers of this task cannot be set');
    });
  }
  for (const gone of known) await timers.removeAll(gone as Task['name']);
}
