import { isSameRepository } from '../domain/git-repository.ts';
import type { SourceTrigger, Task, TaskSecrets } from '../domain/task.ts';
import type { ToRun } from './git/judge.ts';

/** Where a run of an event reads from; nothing at all: from where the task always reads. */
export interface EventSource {
  readonly sourceLocation?: string;
  /** The token for it, where the task's own context has none. */
  readonly token?: string | undefined;
  /** The source is a stranger's repository: no token goes there. */
  readonly isForeign: boolean;
}

interface Parts {
  readonly base: string;
  readonly folder: string | undefined;
}

/** `…git#branch:folder` taken apart; the branch is the event's to say. */
function split(location: string): Parts {
  const [base = '', fragment = ''] = location.split('#', 2);
  const colon = fragment.indexOf(':');
  const folder = colon < 0 ? '' : fragment.slice(colon + 1);
  return { base, folder: folder === '' ? undefined : folder };
}

/** The branch in a repository's URL (`…git#branch:folder`), where the reference lets it stand. */
export function branchOfUrl(url: string): string | undefined {
  const branch = url.split('#', 2)[1]?.split(':', 1)[0];
  return branch === undefined || branch === '' ? undefined : branch;
}

/** True for a git URL; a web address is one by its `.git`, except where the forge is known by its form. Else it is an archive's. */
export function isGitUrl(location: string): boolean {
  const { base } = split(location);
  return !/^https?:\/\//i.test(base) || /\.git\/?$|\/_git\/|^https?:\/\/(?:www\.)?github\.com\//i.test(base);
}

function asGitUrl(url: string): string {
  return isGitUrl(url) ? url : `${url.replace(/\/+$/, '')}.git`;
}

function join(url: string, { commit, ref }: ToRun, folder: string | undefined): string {
  return `${asGitUrl(url)}#${commit ?? ref}${folder === undefined ? '' : `:${folder}`}`;
}

/**
 * Where the run of an event reads from: the event's commit in the task's own context when that is the repository of the event, a fork's
 * commit at the fork; a task whose context is another repository, or an archive, reads that as always.
 */
export function findSource(task: Task, trigger: SourceTrigger, toRun: ToRun, secrets: TaskSecrets): EventSource {
  const { contextPath, type } = task.step;
  const { repositoryUrl } = trigger.sourceRepository;
  if (contextPath === undefined && type === 'EncodedTask') return { isForeign: false };
  const { base, folder } = split(contextPath ?? repositoryUrl);
  if (contextPath !== undefined && !isSameRepository(base, repositoryUrl)) return { isForeign: false };
  if (toRun.fetchUrl !== undefined) return { sourceLocation: join(toRun.fetchUrl, toRun, folder), isForeign: true };
  // Over http goes no token: the trigger's is for the API of the forge then.
  const token = /^http:/i.test(base) ? undefined : (secrets.context ?? secrets.sources[trigger.name]);
  return { sourceLocation: join(base, toRun, folder), token, isForeign: false };
}
