import type { SourceTrigger, Task } from '../domain/task.ts';
import type { GitEvent } from './git/event.ts';
import { isWatched, judge, type ToRun } from './git/judge.ts';
import type { SourceTriggerRules } from './git/rules.ts';
import { branchOfUrl } from './git-source.ts';

/** Where a repository has moved to; undefined when it has not, or nobody can say. Never rejects. */
export type FindMoved = (url: string, token: string | undefined) => Promise<string | undefined>;

/** What a task makes of an event: the trigger that takes it, or why none does. */
export type Match =
  | { readonly trigger: SourceTrigger; readonly toRun: ToRun }
  | { readonly because: string; readonly trigger?: undefined };

/** A task's trigger as rules to judge by. */
export function rulesOf({ status, sourceRepository, ...trigger }: SourceTrigger): SourceTriggerRules {
  const branch = sourceRepository.branch ?? branchOfUrl(sourceRepository.repositoryUrl);
  return {
    isEnabled: status === 'Enabled',
    repositoryUrl: sourceRepository.repositoryUrl,
    ...(branch !== undefined && { branch }),
    events: trigger.sourceTriggerEvents,
    ...(trigger.branches !== undefined && { branches: trigger.branches }),
    ...(trigger.tags !== undefined && { tags: trigger.tags }),
    ...(trigger.paths !== undefined && { paths: trigger.paths }),
    ...(trigger.trustsForks !== undefined && { trustsForks: trigger.trustsForks }),
  };
}

/** The rules with the repository's new address, when the event is of a repository that was renamed. */
async function follow(rules: SourceTriggerRules, event: GitEvent, find: (url: string) => Promise<string | undefined>) {
  if (event.kind === 'ping' || isWatched(rules.repositoryUrl, event.repository, event.provider)) return rules;
  const moved = await find(rules.repositoryUrl);
  return moved === undefined ? rules : { ...rules, repositoryUrl: moved };
}

/**
 * What a task makes of an event: its first trigger that takes it, because a task runs once for one event, however many of its triggers
 * see it. `find` is asked for repositories that have another name than the task knows.
 */
export async function matchTask(
  task: Task,
  event: GitEvent,
  find?: (trigger: SourceTrigger) => Promise<string | undefined>,
): Promise<Match> {
  if (task.status === 'Disabled') return { because: 'the task is disabled' };
  const reasons: string[] = [];
  for (const trigger of task.trigger.sourceTriggers) {
    const known = rulesOf(trigger);
    const rules = find === undefined ? known : await follow(known, event, () => find(trigger));
    const judged = judge(rules, event);
    if (judged.runs) return { trigger, toRun: judged };
    reasons.push(judged.because);
  }
  return { because: [...new Set(reasons)].join('; ') || 'the task has no source trigger' };
}
