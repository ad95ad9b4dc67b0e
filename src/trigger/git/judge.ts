import { given } from './given.ts';
import type { EventRepository, GitEvent, PullRequestEvent, PushEvent, TagEvent } from './event.ts';
import { isSamePath, isSameRepository, normaliseRepository } from '../../domain/git-repository.ts';
import { compileFilter, listNames, type SourceTriggerRules } from './rules.ts';
import { findSkipMark } from './skip-marks.ts';

/** What an event says is to be run. Repository and credentials are the task's own, never the delivery's. */
export interface ToRun {
  readonly runs: true;
  readonly eventType: 'commit' | 'pullrequest' | 'tag';
  /** What is fetched. */
  readonly ref: string;
  /** What is built; absent where the forge does not say it in full: the head of `ref` is. */
  readonly commit?: string;
  readonly branch?: string;
  readonly tag?: string;
  readonly pullRequestId?: string;
  /** Where `ref` is fetched from when it is not the task's repository: a fork, to which no credential is ever sent. */
  readonly fetchUrl?: string;
  /** False: no secrets, no push. */
  readonly isTrusted: boolean;
  /** What people should know of the decision: that a path filter could not tell. */
  readonly note?: string;
}

/** What a trigger makes of an event; `because` is for people, and ends a sentence that begins with the task. */
export type Judgement = ToRun | { readonly runs: false; readonly because: string };

/**
 * Judges one event by the rules of one source trigger.
 * @throws `invalid-request` when a pattern of the rules is malformed, naming it.
 */
export function judge(trigger: SourceTriggerRules, event: GitEvent): Judgement {
  if (trigger.isEnabled === false) return no('the trigger is disabled');
  if (event.kind === 'ping') return no('a ping starts nothing; it shows that the webhook works');
  if (!isWatched(trigger.repositoryUrl, event.repository, event.provider)) {
    return no(`repository ${event.repository.fullName} is not ${nameOf(trigger.repositoryUrl)}`);
  }
  switch (event.kind) {
    case 'push':
      return judgePush(trigger, event);
    case 'tag':
      return judgeTag(trigger, event);
    case 'pull-request':
      return judgePullRequest(trigger, event);
    case 'branch-deleted':
      return no(`branch ${event.name} was deleted`);
    case 'tag-deleted':
      return no(`tag ${event.name} was deleted`);
  }
}

function no(because: string): Judgement {
  return { runs: false, because };
}

/**
 * True when the event is of the repository at `url`. A delivery without any address (Bitbucket Server's older ones) is matched by its
 * name alone: its secret has said already which task it is for.
 */
export function isWatched(url: string, repository: EventRepository, provider: GitEvent['provider']): boolean {
  if (repository.cloneUrls.some((address) => isSameRepository(address, url, provider))) return true;
  if (repository.cloneUrls.length > 0) return false;
  const watched = normaliseRepository(url, provider);
  return watched !== undefined && isSamePath(watched.path, repository.fullName, provider);
}

function nameOf(url: string): string {
  const address = normaliseRepository(url);
  return address === undefined ? 'the one of the task' : `${address.host}/${address.path}`;
}

function judgePush(trigger: SourceTriggerRules, event: PushEvent): Judgement {
  if (!hears(trigger, 'commit')) return no(`commits start nothing here; the trigger is for ${eventsOf(trigger)}`);
  const refused = refuseBranch(trigger, event.branch);
  if (refused !== undefined) return no(`branch ${event.branch} ${refused}`);
  const mark = findSkipMark(event.message);
  if (mark !== undefined) return no(`the commit message says ${mark}`);
  const paths = judgePaths(trigger, event);
  if (paths.because !== undefined) return no(paths.because);
  const { ref, commit, branch } = event;
  return { runs: true, eventType: 'commit', ref, commit, branch, isTrusted: true, ...paths };
}

/** Skip marks do not silence tags: the commit below a release tag often carries one, and a tag is set on purpose. */
function judgeTag(trigger: SourceTriggerRules, event: TagEvent): Judgement {
  if (!hears(trigger, 'tag')) return no(`tags start nothing here; the trigger is for ${eventsOf(trigger)}`);
  const refused = compileFilter(trigger.tags, 'tags').refuse(event.tag);
  if (refused !== undefined) return no(`tag ${event.tag} ${refused}`);
  const { ref, commit, tag } = event;
  return { runs: true, eventType: 'tag', ref, commit, tag, isTrusted: true };
}

function judgePullRequest(trigger: SourceTriggerRules, event: PullRequestEvent): Judgement {
  const because = refusePullRequest(trigger, event);
  if (because !== undefined) return no(because);
  const { pullRequest: request } = event;
  return given({
    runs: true as const,
    eventType: 'pullrequest' as const,
    ref: event.ref,
    commit: event.commit,
    branch: request.headRef,
    pullRequestId: String(request.number),
    fetchUrl: request.headCloneUrl,
    isTrusted: !request.isFork || trigger.trustsForks === true,
    note: trigger.paths && 'the delivery does not list the changed paths, so none is filtered out',
  });
}

function refusePullRequest(trigger: SourceTriggerRules, event: PullRequestEvent): string | undefined {
  const { number, action, baseRef } = event.pullRequest;
  if (!hears(trigger, 'pullrequest'))
    return `pull requests start nothing here; the trigger is for ${eventsOf(trigger)}`;
  if (action === 'closed') return `pull request ${String(number)} was closed`;
  const refused = refuseBranch(trigger, baseRef);
  if (refused !== undefined) return `pull request ${String(number)} goes to ${baseRef}, which ${refused}`;
  const mark = findSkipMark(event.message);
  if (mark !== undefined) return `the commit message says ${mark}`;
  return isOutOfReach(event) ? `the repository of pull request ${String(number)} is gone` : undefined;
}

/** A fork's branch is no ref of the base repository: the branch of that name there would be another one. */
function isOutOfReach({ ref, pullRequest }: PullRequestEvent): boolean {
  return pullRequest.isFork && ref.startsWith('refs/heads/') && pullRequest.headCloneUrl === undefined;
}

function hears(trigger: SourceTriggerRules, event: 'commit' | 'pullrequest' | 'tag'): boolean {
  return (trigger.events ?? ['commit']).includes(event);
}

function eventsOf(trigger: SourceTriggerRules): string {
  const names = { commit: 'commits', pullrequest: 'pull requests', tag: 'tags' } as const;
  const events = (trigger.events ?? ['commit']).map((event) => names[event]);
  return events.length === 0 ? 'nothing' : listNames(events);
}

function refuseBranch(trigger: SourceTriggerRules, branch: string): string | undefined {
  if (trigger.branches !== undefined) return compileFilter(trigger.branches, 'branches').refuse(branch);
  return trigger.branch === undefined || trigger.branch === branch ? undefined : `is not ${trigger.branch}`;
}

function judgePaths(trigger: SourceTriggerRules, { changed }: PushEvent): { because?: string; note?: string } {
  if (trigger.paths === undefined) return {};
  const filter = compileFilter(trigger.paths, 'paths', true);
  const paths = changed?.paths ?? [];
  if (paths.some((path) => filter.refuse(path) === undefined)) return {};
  if (changed?.isComplete !== true) {
    return { note: 'the delivery does not list all changed paths, so none is filtered out' };
  }
  const [only] = paths;
  if (paths.length === 1 && only !== undefined) return { because: `${only} ${filter.refuse(only) ?? ''}` };
  return { because: `none of the ${String(paths.length)} changed paths is one that the trigger watches` };
}

/**
 * What an event would have built, as a key for a second look beside the delivery's id: equal for two deliveries of one happening, such as
 * the same push told by two webhooks, or a vote on a pull request that Azure DevOps sends as an update. A push has its former head in it,
 * so that a branch may return to a commit.
 */
export function occasionOf(event: GitEvent): string | undefined {
  if (event.kind === 'push' || event.kind === 'tag') {
    return [event.kind, event.ref, event.before ?? '', event.commit].join(' ');
  }
  if (event.kind !== 'pull-request') return undefined;
  const { number, action, headCommit, headMark = headCommit } = event.pullRequest;
  const again = action === 'reopened' ? ['reopened'] : [];
  return headMark === undefined ? undefined : ['pull-request', String(number), headMark, ...again].join(' ');
}
