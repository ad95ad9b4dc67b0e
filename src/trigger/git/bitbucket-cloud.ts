import { given } from './given.ts';
import type { EventPerson, EventRepository, GitEvent, ParsedDelivery, PullRequestAction } from './event.ts';
import { createPayloadCheck } from './payload.ts';
import { readParts, readPerson, readRefUpdate, type Origin, type RefUpdate } from './ref-update.ts';
import { keepAddresses } from '../../domain/git-repository.ts';
import { readLine, readRef, toIds } from './text.ts';

interface User {
  readonly display_name?: string | null;
  readonly nickname?: string | null;
}

interface Repository {
  readonly uuid?: string | null;
  readonly full_name: string;
}

interface Tip {
  readonly type: string;
  readonly name: string;
  readonly target?: {
    readonly hash: string;
    readonly message?: string | null;
    readonly author?: { readonly raw?: string | null; readonly user?: User | null } | null;
  } | null;
}

interface PushPayload {
  readonly actor?: User | null;
  readonly repository: Repository;
  readonly push: { readonly changes: readonly { readonly new?: Tip | null; readonly old?: Tip | null }[] };
}

interface Side {
  readonly branch: { readonly name: string };
  readonly commit?: { readonly hash: string } | null;
  readonly repository?: Repository | null;
}

interface PullRequestPayload {
  readonly actor?: User | null;
  readonly repository: Repository;
  readonly pullrequest: {
    readonly id: number;
    readonly title?: string | null;
    readonly author?: User | null;
    readonly source: Side;
    readonly destination: Side;
  };
}

const checkPush = createPayloadCheck('bitbucket-cloud-push');
const checkPullRequest = createPayloadCheck('bitbucket-cloud-pull-request');

function toUrl(repository: Repository): string {
  return `https://bitbucket.org/${repository.full_name}`;
}

/** Payloads hold no clone URL; on bitbucket.org it follows from the name. */
function readRepository(repository: Repository): EventRepository {
  return {
    cloneUrls: keepAddresses([toUrl(repository)]),
    fullName: readLine(repository.full_name) ?? '',
    host: 'bitbucket.org',
    ids: toIds({ uuid: repository.uuid ?? undefined }),
  };
}

function readActor(user: User | null | undefined): EventPerson | undefined {
  return readPerson(user?.nickname, user?.display_name);
}

function readOrigin(payload: PushPayload | PullRequestPayload): Origin {
  return { provider: 'bitbucket', repository: readRepository(payload.repository), sender: readActor(payload.actor) };
}

function readChange(origin: Origin, change: PushPayload['push']['changes'][number], at: number): GitEvent | string {
  const field = `push.changes[${String(at)}]`;
  const { new: now, old } = change;
  const tip = now ?? old;
  if (tip === null || tip === undefined) return `${field} names no branch and no tag`;
  return readRefUpdate(origin, {
    ref: `refs/${tip.type === 'tag' ? 'tags' : 'heads'}/${tip.name}`,
    refField: `${field}.new.name`,
    afterField: `${field}.new.target.hash`,
    before: old?.target?.hash,
    ...readHead(now),
  });
}

/** The head after the push and its texts; a tip without its commit is faulty, not deleted. */
function readHead(tip: Tip | null | undefined): Pick<RefUpdate, 'after' | 'message' | 'author'> {
  if (tip === null || tip === undefined) return { after: undefined };
  const { hash = 'none', message, author } = tip.target ?? {};
  return { after: hash, message, author: author?.user?.display_name ?? author?.raw };
}

const actions: Readonly<Record<string, PullRequestAction>> = {
  'pullrequest:created': 'opened',
  // Also sent for a new title or description: a head commit that was built before is not built again.
  'pullrequest:updated': 'synchronize',
  'pullrequest:fulfilled': 'closed',
  'pullrequest:rejected': 'closed',
};

function readPullRequestEvent(action: PullRequestAction, payload: PullRequestPayload): GitEvent {
  const { pullrequest: request } = payload;
  const { source, destination } = request;
  const headRef = readRef(source.branch.name, 'pullrequest.source.branch.name');
  const commit = matchOf(source.commit?.hash, /^[0-9a-f]{40}$/);
  const isFork = !isSame(source.repository, destination.repository ?? payload.repository);
  return given({
    ...readOrigin(payload),
    kind: 'pull-request' as const,
    provider: 'bitbucket' as const,
    // Bitbucket Cloud keeps no refs of pull requests.
    ref: `refs/heads/${headRef}`,
    commit,
    pullRequest: given({
      number: request.id,
      action,
      headCommit: commit,
      headMark: matchOf(source.commit?.hash, /^[0-9a-f]{7,40}$/),
      headRef,
      headRepository: readLine(source.repository?.full_name),
      headCloneUrl: isFork && source.repository ? keepAddresses([toUrl(source.repository)])[0] : undefined,
      baseRef: readRef(destination.branch.name, 'pullrequest.destination.branch.name'),
      isFork,
      title: readLine(request.title) ?? '',
      author: readActor(request.author),
    }),
  });
}

function matchOf(text: string | undefined, pattern: RegExp): string | undefined {
  return text !== undefined && pattern.test(text) ? text : undefined;
}

function isSame(source: Repository | null | undefined, destination: Repository): boolean {
  if (source === null || source === undefined) return false;
  if (typeof source.uuid === 'string' && typeof destination.uuid === 'string') return source.uuid === destination.uuid;
  return source.full_name.toLowerCase() === destination.full_name.toLowerCase();
}

/** Reads a delivery of Bitbucket Cloud; undefined for an event that starts nothing. Throws `invalid-request`. */
export function parseCloudDelivery(event: string, body: unknown): ParsedDelivery | undefined {
  if (event === 'repo:push') {
    const payload = checkPush(body) as PushPayload;
    const origin = readOrigin(payload);
    return readParts(payload.push.changes.map((change, at) => () => readChange(origin, change, at)));
  }
  const action = Object.hasOwn(actions, event) ? actions[event] : undefined;
  if (action === undefined) return undefined;
  const payload = checkPullRequest(body) as PullRequestPayload;
  return readParts([() => readPullRequestEvent(action, payload)]);
}
