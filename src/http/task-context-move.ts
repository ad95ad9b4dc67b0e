import { fail } from '../domain/failure.ts';
import { isSameRepository } from '../domain/git-repository.ts';
import type { SourceTrigger, Task } from '../domain/task.ts';
import { isGitUrl } from '../trigger/git-source.ts';

type Named = { readonly name?: unknown };

/** The triggers that a change speaks of, by name in lower case; undefined: it takes all of them away. */
function namedIn(change: object): ReadonlySet<string> | undefined {
  const { properties } = change as {
    readonly properties?: { readonly trigger?: { readonly sourceTriggers?: unknown } | null };
  };
  const { trigger } = properties ?? {};
  if (trigger === null || trigger?.sourceTriggers === null) return undefined;
  const list = (trigger?.sourceTriggers ?? []) as readonly Named[];
  return new Set(list.map(({ name }) => String(name).toLowerCase()));
}

function baseOf({ step }: Task): string | undefined {
  return step.contextPath?.split('#', 1)[0];
}

/**
 * Refuses a change that takes a task's context away from the repository that its source trigger watches, to an archive or to none, and says
 * nothing of that trigger: a PATCH removes no trigger by itself (azure-api.md §5), and pushes would go on starting runs that do not
 * read them.
 * @throws `invalid-request` with field `properties.step.contextPath`.
 */
export function checkMovedContext(
  { before, after }: { readonly before: Task; readonly after: Task },
  change: object,
): void {
  const [from, to] = [baseOf(before), after.step.contextPath];
  const named = namedIn(change);
  const stays = from === undefined || !isGitUrl(from) || (to !== undefined && isGitUrl(to));
  if (stays || named === undefined) return;
  const isLeft = ({ name, status, sourceRepository }: SourceTrigger): boolean =>
    status === 'Enabled' && !named.has(name.toLowerCase()) && isSameRepository(sourceRepository.repositoryUrl, from);
  const left = after.trigger.sourceTriggers.find(isLeft);
  if (left === undefined) return;
  const field = 'properties.step.contextPath';
  throw fail(
    'invalid-request',
    `${field}: the source trigger ${left.name} would still watch the repository that the task no longer reads`,
    {
      field,
      hint: 'disable the trigger in the same change (slipway task update: --commit-trigger-enabled false), or name it there to keep it',
    },
  );
}
