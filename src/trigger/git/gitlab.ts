import { given } from './given.ts';
import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { collectPaths, type CommitFiles } from './changed-paths.ts';
import type { DeliveryHeaders, EventRepository, GitEvent, GitProvider, ParsedDelivery } from './event.ts';
import type { PullRequestAction, Verdict } from './event.ts';
import { isFresh } from './freshness.ts';
import { createPayloadCheck } from './payload.ts';
import { ignore, readParts, readPerson, readRefUpdate } from './ref-update.ts';
import { hostOfRepository, keepAddresses } from '../../domain/git-repository.ts';
import { headerOf, hmacSha256, idOf, verifyEach, verifyToken } from './signature.ts';
import { isNoCommit, readCommit, readLine, readMessage, readRef, toIds } from './text.ts';

interface Project {
  readonly id?: number;
  readonly path_with_namespace: string;
  readonly git_http_url?: string | null;
  readonly git_ssh_url?: string | null;
  readonly web_url?: string | null;
}

interface Commit extends CommitFiles {
  readonly id: string;
  readonly message?: string | null;
  readonly author?: { readonly name?: string | null } | null;
}

interface PushPayload {
  readonly ref: string;
  readonly before?: string | null;
  readonly after?: string | null;
  readonly checkout_sha?: string | null;
  readonly user_username?: string | null;
  readonly user_name?: string | null;
  readonly project: Project;
  readonly commits?: readonly Commit[] | null;
  readonly total_commits_count?: number;
}

interface MergeRequestPayload {
  readonly user?: { readonly username?: string | null; readonly name?: string | null } | null;
  readonly project: Project;
  readonly object_attributes: {
    readonly iid: number;
    readonly action?: string | null;
    readonly oldrev?: string | null;
    readonly title?: string | null;
    readonly source_branch: string;
    readonly target_branch: string;
    readonly source_project_id?: number | null;
    readonly target_project_id?: number | null;
    readonly source?: Project | null;
    readonly last_commit?: Commit | null;
  };
}

const checkPush = createPayloadCheck('gitlab-push');
const checkMergeRequest = createPayloadCheck('gitlab-merge-request');

function readProject(project: Project): EventRepository {
  const cloneUrls = keepAddresses([project.git_http_url, project.git_ssh_url, project.web_url]);
  return given({
    cloneUrls,
    fullName: readLine(project.path_with_namespace) ?? '',
    host: hostOfRepository(cloneUrls),
    ids: toIds({ projectId: project.id }),
  });
}

function readPushEvent(payload: PushPayload): GitEvent | string {
  const commits = payload.commits ?? [];
  const commit = payload.checkout_sha ?? payload.after;
  const head = commits.find(({ id }) => id === commit);
  const sender = readPerson(payload.user_username, payload.user_name);
  // At most 20 commits are listed, however many were pushed.
  const isWhole = payload.total_commits_count === commits.length && !isNoCommit(payload.before);
  return readRefUpdate(
    { provider: 'gitlab', repository: readProject(payload.project), sender },
    {
      ref: payload.ref,
      refField: 'ref',
      afterField: 'after',
      before: payload.before,
      after: payload.after,
      taggedCommit: payload.checkout_sha,
      message: head?.message,
      author: head?.author?.name,
      changed: collectPaths(commits, isWhole),
    },
  );
}

/** GitLab's `update` is every edit; only with `oldrev` did the branch get new commits (its docs: "Merge request events"). */
function toAction({ action, oldrev }: MergeRequestPayload['object_attributes']): PullRequestAction | undefined {
  if (action === 'open') return 'opened';
  if (action === 'reopen') return 'reopened';
  if (action === 'close' || action === 'merge') return 'closed';
  return action === 'update' && !isNoCommit(oldrev) ? 'synchronize' : undefined;
}

function readMergeRequestEvent(payload: MergeRequestPayload): GitEvent | string {
  const { object_attributes: request, user } = payload;
  const action = toAction(request);
  if (action === undefined) return `merge request action ${readLine(request.action) ?? '(none)'} brings no new commits`;
  const commit = readCommit(request.last_commit?.id ?? '', 'object_attributes.last_commit.id');
  const sender = readPerson(user?.username, user?.name);
  return given({
    kind: 'pull-request' as const,
    provider: 'gitlab' as const,
    repository: readProject(payload.project),
    sender,
    ref: `refs/merge-requests/${String(request.iid)}/head`,
    commit,
    message: readMessage(request.last_commit?.message),
    pullRequest: given({
      number: request.iid,
      action,
      headCommit: commit,
      ...readBranches(request),
      title: readLine(request.title) ?? '',
      // The delivery names who acted, not who opened it: they are the same only at the opening.
      author: action === 'opened' ? sender : undefined,
    }),
  });
}

function readBranches(request: MergeRequestPayload['object_attributes']): Branches {
  return {
    headRef: readRef(request.source_branch, 'object_attributes.source_branch'),
    headRepository: readLine(request.source?.path_with_namespace),
    baseRef: readRef(request.target_branch, 'object_attributes.target_branch'),
    isFork: isFork(request),
  };
}

interface Branches {
  readonly headRef: string;
  readonly headRepository: string | undefined;
  readonly baseRef: string;
  readonly isFork: boolean;
}

function isFork({
  source_project_id: source,
  target_project_id: target,
}: MergeRequestPayload['object_attributes']): boolean {
  return source === null || source === undefined || source !== target;
}

const kindsOfEvents: Readonly<Record<string, string>> = {
  'Push Hook': 'push',
  'Tag Push Hook': 'tag_push',
  'Merge Request Hook': 'merge_request',
};

/** A hook of the whole instance says `System Hook` whatever happened; the body tells. */
function kindOf(event: string | undefined, body: unknown): string | undefined {
  if (event !== 'System Hook') return kindsOfEvents[event ?? ''];
  const kind: unknown =
    typeof body === 'object' && body !== null && 'object_kind' in body ? body.object_kind : undefined;
  return typeof kind === 'string' ? kind : undefined;
}

function parse(event: string | undefined, body: unknown): ParsedDelivery {
  switch (kindOf(event, body)) {
    case 'push':
    case 'tag_push': {
      const payload = checkPush(body) as PushPayload;
      return readParts([() => readPushEvent(payload)]);
    }
    case 'merge_request': {
      const payload = checkMergeRequest(body) as MergeRequestPayload;
      return readParts([() => readMergeRequestEvent(payload)]);
    }
    default:
      return ignore(`event ${readLine(event) ?? '(none)'} starts nothing`);
  }
}

/** The key in a signing token, `whsec_` and base64; undefined for a secret that is no such token. */
function toSigningKey(secret: string): Buffer | undefined {
  const text = /^whsec_([A-Za-z0-9+/]{16,172}={0,2})$/.exec(secret)?.[1];
  return text === undefined ? undefined : Buffer.from(text, 'base64');
}

/** The Standard Webhooks scheme: `v1,<base64>`, several separated by spaces, over `id.timestamp.body`. */
function verifySigned(headers: DeliveryHeaders, rawBody: Buffer, secrets: readonly string[]): boolean {
  const id = headerOf(headers, 'webhook-id') ?? '';
  const timestamp = headerOf(headers, 'webhook-timestamp') ?? '';
  const given = (headerOf(headers, 'webhook-signature') ?? '').slice(0, 1024).split(' ');
  const macs = given.flatMap((text) => (text.startsWith('v1,') ? [Buffer.from(text.slice(3), 'base64')] : []));
  const verdict = verifyEach(secrets, (secret) => {
    const key = toSigningKey(secret);
    if (key === undefined) return false;
    const expected = hmacSha256(key, [`${id}.${timestamp}.`, rawBody]);
    return macs.some((mac) => mac.length === expected.length && timingSafeEqual(mac, expected));
  });
  return verdict === 'ok';
}

/**
 * GitLab. A webhook with a signing token is checked by its signature and time, one without by the secret token that it sends
 * as it is. Where a signing token is among the secrets, a signature that is wrong is not made good by the token beside it.
 */
export function createGitlabProvider(clock: Clock): GitProvider {
  return {
    name: 'gitlab',
    recognise: (headers) => headerOf(headers, 'x-gitlab-event') !== undefined,
    verify: (headers, rawBody, secrets): Verdict => {
      const isSigned = headerOf(headers, 'webhook-signature') !== undefined;
      if (!isSigned || !secrets.some((secret) => toSigningKey(secret) !== undefined)) {
        return verifyToken(headerOf(headers, 'x-gitlab-token'), secrets);
      }
      const isRight = verifySigned(headers, rawBody, secrets);
      return isRight && isFresh(headerOf(headers, 'webhook-timestamp'), clock.now()) ? 'ok' : 'wrong';
    },
    // X-Gitlab-Event-UUID is shared by hooks that set each other off, so it names no delivery.
    deliveryId: (headers) => idOf(headers, 'idempotency-key', 'webhook-id', 'x-gitlab-webhook-uuid'),
    parse: (headers, body) => parse(headerOf(headers, 'x-gitlab-event'), body),
  };
}
