import { normaliseRepository, type GitProviderName } from '../domain/git-repository.ts';
import type { Task } from '../domain/task.ts';

/**
 * What tasks are found by when something happens to a repository: `host/owner/name` in lower case, because no forge tells two
 * repositories apart by case. Ports do not count. It finds candidates; `isWatched` (git/judge.ts) has the last word. Undefined for a text
 * that is no address of a repository.
 */
export function repositoryKey(url: string, forge?: GitProviderName): string | undefined {
  const address = normaliseRepository(url, forge);
  return address === undefined ? undefined : `${address.host}/${address.path}`.toLowerCase();
}

/** The keys of all repositories that a task's source triggers name; that a host is a Bitbucket Server shows only in its deliveries. */
export function repositoryKeysOf({ trigger }: Pick<Task, 'trigger'>): readonly string[] {
  const urls = trigger.sourceTriggers.map(({ sourceRepository }) => sourceRepository.repositoryUrl);
  const keys = urls.flatMap((url) => [repositoryKey(url), repositoryKey(url, 'bitbucket')]);
  return [...new Set(keys.filter((key) => key !== undefined))];
}
