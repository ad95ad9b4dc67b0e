import { given } from './given.ts';
import type { EventRepository, GitEvent, ParsedDelivery, PullRequestAction } from './event.ts';
import { createPayloadCheck } from './payload.ts';
import { readParts, readPerson, readRefUpdate, type Origin } from './ref-update.ts';
import { hostOfRepository, keepAddresses } from '../../domain/git-repository.ts';
import { readCommit, readLine, readRef, toIds } from './text.ts';

interface User {
  readonly name?: string | null;
  readonly displayName?: string | null;
}

interface Link {
  readonly href?: string | null;
}

interface Repository {
  readonly id?: number;
  readonly slug: string;
  readonly project: { readonly key: string };
  readonly links?: { readonly clone?: readonly Link[] | null; readonly self?: readonly Link[] | null } | null;
}

interface PushPayload {
  readonly actor?: User | null;
  readonly repository: Repository;
  readonly changes: readonly {
    readonly ref: { readonly id: string };
    readonly fromHash?: string | null;
    readonly toHash?: string | null;
    readonly type: string;
  }[];
  readonly toCommit?: {
    readonly id: string;
    readonly message?: string | null;
    readonly author?: User | null;
  } | null;
}

interface Side {
  readonly id: string;
  readonly latestCommit?: string | null;
  readonly repository: Repository;
}

interface PullRequestPayload {
  readonly actor?: User | null;
  readonly pullRequest: {
    readonly id: number;
    readonly title?: string | null;
    readonly author?: { readonly user?: User | null } | null;
    readonly fromRef: Side;
    readonly toRef: Side;
  };
}

const checkPush = createPayloadCheck('bitbucket-server-push');
const checkPullRequest = createPayloadCheck('bitbucket-server-pull-request');

function toFullName({ project, slug }: Repository): string {
  return `${project.key}/${slug}`;
}

/** Older versions send no links at all: such a delivery is matched by project and name alone. */
function readRepository(repository: Repository): EventRepository {
  const { clone, self } = repository.links ?? {};
  const links = [...(clone ?? []), ...(self ?? [])].slice(0, 10);
  const cloneUrls = keepAddresses(links.map(({ href }) => href));
  return given({
    cloneUrls,
    fullName: readLine(toFullName(repository)) ?? '',
    host: hostOfRepository(cloneUrls),
    ids: toIds({ repositoryId: repository.id, projectKey: repository.project.key, slug: repository.slug }),
  });
}

function readOrigin(repository: Repository, actor: User | null | undefined): Origin {
  const sender = readPerson(actor?.name, actor?.displayName);
  return { provider: 'bitbucket', repository: readRepository(repository), sender };
}

function readChange(payload: PushPayload, change: PushPayload['changes'][number], at: number): GitEvent | string {
  const head = payload.toCommit?.id === change.toHash ? payload.toCommit : undefined;
  return readRefUpdate(readOrigin(payload.repository, payload.actor), {
    ref: change.ref.id,
    refField: `changes[${String(at)}].ref.id`,
    afterField: `changes[${String(at)}].toHash`,
    before: change.fromHash,
    after: change.type === 'DELETE' ? undefined : change.toHash,
    message: head?.message,
    author: head?.author?.displayName ?? head?.author?.name,
  });
}

const actions: Readonly<Record<string, PullRequestAction>> = {
  'pr:opened': 'opened',
  'pr:from_ref_updated': 'synchronize',
  'pr:merged': 'closed',
  'pr:declined': 'closed',
  'pr:deleted': 'closed',
};

function readPullRequestEvent(action: PullRequestAction, payload: PullRequestPayload): GitEvent {
  const { pullRequest: request } = payload;
  const { fromRef, toRef } = request;
  const commit = readCommit(fromRef.latestCommit ?? '', 'pullRequest.fromRef.latestCommit');
  return given({
    ...readOrigin(toRef.repository, payload.actor),
    kind: 'pull-request' as const,
    provider: 'bitbucket' as const,
    ref: `refs/pull-requests/${String(request.id)}/from`,
    commit,
    pullRequest: given({
      number: request.id,
      action,
      headCommit: commit,
      headRef: toBranch(fromRef.id, 'pullRequest.fromRef.id'),
      headRepository: readLine(toFullName(fromRef.repository)),
      baseRef: toBranch(toRef.id, 'pullRequest.toRef.id'),
      isFork: !isSame(fromRef.repository, toRef.repository),
      title: readLine(request.title) ?? '',
      author: readPerson(request.author?.user?.name, request.author?.user?.displayName),
    }),
  });
}

function isSame(from: Repository, to: Repository): boolean {
  if (from.id !== undefined && to.id !== undefined) return from.id === to.id;
  return toFullName(from).toLowerCase() === toFullName(to).toLowerCase();
}

function toBranch(ref: string, field: string): string {
  return readRef(ref, field).replace(/^refs\/heads\/(?=.)/, '');
}

/** Reads a delivery of Bitbucket Server or Data Center; undefined for an event that starts nothing. Throws `invalid-request`. */
export function parseServerDelivery(event: string, body: unknown): ParsedDelivery | undefined {
  if (event === 'diagnostics:ping') return { events: [{ kind: 'ping', provider: 'bitbucket' }], ignored: [] };
  if (event === 'repo:refs_changed') {
    const payload = checkPush(body) as PushPayload;
    return readParts(payload.changes.map((change, at) => () => readChange(payload, change, at)));
  }
  const action = Object.hasOwn(actions, event) ? actions[event] : undefined;
  if (action === undefined) return undefined;
  const payload = checkPullRequest(body) as PullRequestPayload;
  return readParts([() => readPullRequestEvent(action, payload)]);
}
