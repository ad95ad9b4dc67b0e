import { given } from './given.ts';
import { collectPaths, type CommitFiles } from './changed-paths.ts';
import { pullRequestActions, type EventRepository, type GitEvent, type GitProvider } from './event.ts';
import type { EventPerson, ParsedDelivery, PullRequestAction } from './event.ts';
import { createPayloadCheck } from './payload.ts';
import { ignore, readParts, readPerson, readRefUpdate, type RefUpdate } from './ref-update.ts';
import { hostOfRepository, keepAddresses } from '../../domain/git-repository.ts';
import { headerOf, idOf, verifyHex } from './signature.ts';
import { isNoCommit, readCommit, readLine, readRef, toIds } from './text.ts';

/** A repository as GitHub, Gitea and Gogs write it. */
export interface HubRepository {
  readonly id?: number;
  readonly full_name: string;
  readonly clone_url?: string | null;
  readonly ssh_url?: string | null;
  readonly html_url?: string | null;
}

/** A commit of a push as GitHub, Gitea and Gogs write it. */
export interface HubCommit extends CommitFiles {
  readonly id: string;
  readonly message?: string | null;
  readonly author?: { readonly name?: string | null; readonly username?: string | null } | null;
}

export interface HubUser {
  readonly login?: string | null;
  readonly username?: string | null;
}

interface PushPayload {
  readonly ref: string;
  readonly before?: string | null;
  readonly after?: string | null;
  readonly deleted?: boolean;
  readonly forced?: boolean;
  readonly repository: HubRepository;
  readonly commits?: readonly HubCommit[] | null;
  readonly head_commit?: HubCommit | null;
  readonly sender?: HubUser | null;
}

interface HubBranch {
  readonly ref: string;
  readonly sha?: string | null;
  readonly repo?: HubRepository | null;
}

/** A pull request delivery as GitHub and Gitea write it; Gogs has its own. */
export interface HubPullRequestPayload {
  readonly action: string;
  readonly number: number;
  readonly pull_request: {
    readonly title?: string | null;
    readonly user?: HubUser | null;
    readonly head: HubBranch;
    readonly base: HubBranch;
  };
  readonly repository: HubRepository;
  readonly sender?: HubUser | null;
}

const checkPing = createPayloadCheck('github-ping');
const checkPush = createPayloadCheck('github-push');
const checkPullRequest = createPayloadCheck('github-pull-request');

/** GitHub lists at most 2048 commits of a push, older GitHub Enterprise 20 (its docs: webhook payload `push`). */
const listLimits: readonly number[] = [20, 2048];

/** Reads a repository that GitHub or one of its kin describes. */
export function readHubRepository(repository: HubRepository): EventRepository {
  const cloneUrls = keepAddresses([repository.clone_url, repository.ssh_url, repository.html_url]);
  return given({
    cloneUrls,
    fullName: readLine(repository.full_name) ?? '',
    host: hostOfRepository(cloneUrls),
    ids: toIds({ repositoryId: repository.id }),
  });
}

function readPushEvent(payload: PushPayload): GitEvent | string {
  const { head_commit: head, deleted } = payload;
  const sender = readUser(payload.sender);
  return readRefUpdate(
    { provider: 'github', repository: readHubRepository(payload.repository), sender },
    {
      ref: payload.ref,
      refField: 'ref',
      afterField: 'after',
      before: payload.before,
      after: deleted === true ? undefined : payload.after,
      taggedCommit: head?.id,
      ...readHubTexts(head),
      changed: collectPaths(payload.commits ?? [], isWholeList(payload)),
    },
  );
}

/** A forced push also takes away commits, which are not listed; a new branch has no earlier state to compare with. */
function isWholeList({ commits, forced, before }: PushPayload): boolean {
  const isListed = commits !== null && commits !== undefined && !listLimits.includes(commits.length);
  return isListed && forced !== true && !isNoCommit(before);
}

/** Message and author of a push's head. */
export function readHubTexts(head: HubCommit | null | undefined): Pick<RefUpdate, 'message' | 'author'> {
  return { message: head?.message, author: head?.author?.name ?? head?.author?.username };
}

/** The action in our words, or undefined for one that brings no new commits. */
function toAction(action: string): PullRequestAction | undefined {
  return pullRequestActions.find((one) => one === action || (one === 'synchronize' && action === 'synchronized'));
}

/**
 * A pull request event of GitHub or Gitea, or why the delivery is none.
 * @throws `invalid-request` naming the field that is wrong.
 */
export function readHubPullRequest(provider: 'github' | 'gitea', payload: HubPullRequestPayload): GitEvent | string {
  const { number, pull_request: request, repository } = payload;
  const { head, base } = request;
  const action = toAction(payload.action);
  if (action === undefined) return `pull request action ${readLine(payload.action) ?? '(none)'} brings no new commits`;
  const commit = readCommit(head.sha ?? '', 'pull_request.head.sha');
  return given({
    kind: 'pull-request' as const,
    provider,
    repository: readHubRepository(repository),
    sender: readUser(payload.sender),
    ref: `refs/pull/${String(number)}/head`,
    commit,
    pullRequest: given({
      number,
      action,
      headCommit: commit,
      headRef: readRef(head.ref, 'pull_request.head.ref'),
      headRepository: readLine(head.repo?.full_name),
      baseRef: readRef(base.ref, 'pull_request.base.ref'),
      isFork: !isSameHubRepository(head.repo, base.repo ?? repository),
      title: readLine(request.title) ?? '',
      author: readUser(request.user),
    }),
  });
}

/** A user by login; Gogs says username. */
export function readUser(user: HubUser | null | undefined): EventPerson | undefined {
  return readPerson(user?.login, user?.username);
}

/** The id decides, for names can be taken over; a repository that is gone is nobody's own. */
function isSameHubRepository(head: HubRepository | null | undefined, base: HubRepository): boolean {
  if (head === null || head === undefined) return false;
  if (head.id !== undefined && base.id !== undefined) return head.id === base.id;
  return head.full_name.toLowerCase() === base.full_name.toLowerCase();
}

function parse(event: string | undefined, body: unknown): ParsedDelivery {
  switch (event) {
    case 'ping': {
      const { repository } = checkPing(body) as { readonly repository?: HubRepository };
      const named = repository === undefined ? undefined : readHubRepository(repository);
      return {
        events: [given({ kind: 'ping' as const, provider: 'github' as const, repository: named })],
        ignored: [],
      };
    }
    case 'push': {
      const payload = checkPush(body) as PushPayload;
      return readParts([() => readPushEvent(payload)]);
    }
    case 'pull_request': {
      const payload = checkPullRequest(body) as HubPullRequestPayload;
      return readParts([() => readHubPullRequest('github', payload)]);
    }
    case 'create':
    case 'delete':
      return ignore(`event ${event}: the push event beside it says the same`);
    default:
      return ignore(`event ${readLine(event) ?? '(none)'} starts nothing`);
  }
}

/** The form of a webhook whose content type was left at `application/x-www-form-urlencoded` is not read: JSON is asked for. */
export const githubProvider: GitProvider = {
  name: 'github',
  // Gitea and Gogs send GitHub's headers beside their own.
  recognise: (headers) =>
    headerOf(headers, 'x-github-event') !== undefined &&
    headerOf(headers, 'x-gitea-event') === undefined &&
    headerOf(headers, 'x-gogs-event') === undefined,
  // X-Hub-Signature holds SHA-1 and is not looked at.
  verify: (headers, rawBody, secrets) =>
    verifyHex(headerOf(headers, 'x-hub-signature-256'), 'sha256=', [rawBody], secrets),
  deliveryId: (headers) => idOf(headers, 'x-github-delivery'),
  parse: (headers, body) => parse(headerOf(headers, 'x-github-event'), body),
};
