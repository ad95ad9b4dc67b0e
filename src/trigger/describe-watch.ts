import { normaliseRepository } from '../domain/git-repository.ts';
import { sourceTriggerEvents, type GlobFilter, type SourceTriggerEvent } from '../domain/source-rules.ts';
import type { SourceTrigger, Task, TimerTrigger } from '../domain/task.ts';
import { listNames } from './git/rules.ts';
import { nextOccurrences } from './schedule.ts';

/** One thing that starts runs of a task, or could. */
export interface Watch {
  /** For people: `pushes to main of github.com/owner/name`. */
  readonly what: string;
  readonly isWatched: boolean;
  /** Why it is not watched. */
  readonly because?: string;
  /** Where deliveries must come to for it to be seen; of a base image in words: how its changes are noticed. */
  readonly how?: string;
  /** What the task's images were built on last, of a base image. */
  readonly digest?: string;
  /** The next occurrences of a timer, ISO 8601. */
  readonly next?: readonly string[];
}

export interface WatchOptions {
  /** Where the task's deliveries come to. */
  readonly webhookUrl: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const shownOccurrences = 3;

function nameRepository(url: string): string {
  const address = normaliseRepository(url);
  if (address === undefined) return url;
  const port = typeof address.port === 'number' ? `:${String(address.port)}` : '';
  return `${address.host}${port}/${address.path}`;
}

/** `main or release/*, but not old`; `otherwise` for a filter that takes in everything. */
function nameFilter(filter: GlobFilter | undefined, otherwise: string): string {
  const { include = [], exclude = [] } = filter ?? {};
  const taken = include.length > 0 ? listNames(include) : otherwise;
  return exclude.length > 0 ? `${taken}, but not ${listNames(exclude)}` : taken;
}

function nameBranches({ branches, sourceRepository: { branch } }: SourceTrigger): string {
  return branches === undefined ? (branch ?? 'any branch') : nameFilter(branches, 'any branch');
}

function nameEvent(trigger: SourceTrigger, event: SourceTriggerEvent): string {
  const repository = nameRepository(trigger.sourceRepository.repositoryUrl);
  const paths = trigger.paths === undefined ? '' : `, where they change ${nameFilter(trigger.paths, 'any path')}`;
  switch (event) {
    case 'commit':
      return `pushes to ${nameBranches(trigger)} of ${repository}${paths}`;
    case 'pullrequest':
      return `pull requests to ${nameBranches(trigger)} of ${repository}`;
    case 'tag':
      return `tags of ${repository}: ${nameFilter(trigger.tags, 'any')}`;
  }
}

/** Why nothing comes of a trigger at all. */
function silence(task: Task, name: string, status: Task['status']): string | undefined {
  if (task.status === 'Disabled') return 'the task is disabled';
  return status === 'Disabled' ? `the trigger ${name} is disabled` : undefined;
}

function describeSource(task: Task, trigger: SourceTrigger, { webhookUrl }: WatchOptions): readonly Watch[] {
  const silent = silence(task, trigger.name, trigger.status);
  return sourceTriggerEvents.map((event) => {
    const isHeard = trigger.sourceTriggerEvents.includes(event);
    const because = isHeard ? silent : `${event} is not among the events of the trigger ${trigger.name}`;
    const what = nameEvent(trigger, event);
    return because === undefined ? { what, isWatched: true, how: webhookUrl } : { what, isWatched: false, because };
  });
}

/** What people take for granted of a task whose context is a repository. */
function describeContext({ step, trigger }: Task): readonly Watch[] {
  const { contextPath } = step;
  if (trigger.sourceTriggers.length > 0) return [];
  const isGit =
    contextPath !== undefined && /\.git(?:[#/]|$)|\/_git\/|^(?:https?:\/\/)?(?:www\.)?github\.com\//i.test(contextPath);
  if (!isGit) return [];
  return [
    { what: `pushes to ${nameRepository(contextPath)}`, isWatched: false, because: 'the task has no source trigger' },
  ];
}

function describeTimer(task: Task, timer: TimerTrigger, { now }: WatchOptions): Watch {
  const what = `timer ${timer.name}: ${timer.schedule} (${timer.timeZone ?? 'UTC'})`;
  const because = silence(task, timer.name, timer.status);
  if (because !== undefined) return { what, isWatched: false, because };
  return { what, isWatched: true, next: nextOccurrences(timer, now, shownOccurrences) };
}

/**
 * What starts runs of a task, and why something that could does not: known from the task alone, before it ever ran. Base images are described
 * where it is known what the task stands on.
 */
export function describeWatch(task: Task, options: WatchOptions): readonly Watch[] {
  const { sourceTriggers, timerTriggers } = task.trigger;
  return [
    ...sourceTriggers.flatMap((trigger) => describeSource(task, trigger, options)),
    ...describeContext(task),
    ...timerTriggers.map((timer) => describeTimer(task, timer, options)),
  ];
}
