import { collectPaths } from './changed-paths.ts';
import type { GitEvent, GitProvider, ParsedDelivery } from './event.ts';
import {
  readHubPullRequest,
  readHubRepository,
  readHubTexts,
  readUser,
  type HubCommit,
  type HubPullRequestPayload,
  type HubRepository,
  type HubUser,
} from './github.ts';
import { createPayloadCheck } from './payload.ts';
import { ignore, readParts, readRefUpdate, type Origin } from './ref-update.ts';
import { headerOf, idOf, verifyHex } from './signature.ts';
import { isNoCommit, readLine, readRef } from './text.ts';

interface PushPayload {
  readonly ref: string;
  readonly before?: string | null;
  readonly after?: string | null;
  readonly commits?: readonly HubCommit[] | null;
  readonly total_commits?: number;
  readonly head_commit?: HubCommit | null;
  readonly repository: HubRepository;
  readonly sender?: HubUser | null;
}

interface CreatePayload {
  readonly ref: string;
  readonly ref_type: string;
  readonly sha?: string | null;
  readonly repository: HubRepository;
  readonly sender?: HubUser | null;
}

const checkPush = createPayloadCheck('gitea-push');
const checkCreate = createPayloadCheck('gitea-create');
const checkPullRequest = createPayloadCheck('github-pull-request');

function readOrigin(repository: HubRepository, user: HubUser | null | undefined): Origin {
  return { provider: 'gitea', repository: readHubRepository(repository), sender: readUser(user) };
}

function readPushEvent(payload: PushPayload): GitEvent | string {
  const { head_commit: head, after } = payload;
  const commits = payload.commits ?? [];
  return readRefUpdate(readOrigin(payload.repository, payload.sender), {
    ref: payload.ref,
    refField: 'ref',
    afterField: 'after',
    before: payload.before,
    after,
    taggedCommit: head?.id,
    ...readHubTexts(head ?? commits.find(({ id }) => id === after)),
    // Only the newest few commits are listed (five by default); Gogs does not say how many there are.
    changed: collectPaths(commits, payload.total_commits === commits.length && !isNoCommit(payload.before)),
  });
}

/** Gogs tells of a new tag by this event alone; Gitea and Forgejo by a push as well. */
function readCreateEvent(payload: CreatePayload): GitEvent | string {
  if (payload.ref_type !== 'tag') return 'event create: the push event beside it says the same';
  return readRefUpdate(readOrigin(payload.repository, payload.sender), {
    ref: `refs/tags/${readRef(payload.ref, 'ref')}`,
    refField: 'ref',
    afterField: 'sha',
    after: payload.sha ?? 'none',
  });
}

function parse(event: string | undefined, isGogs: boolean, body: unknown): ParsedDelivery {
  switch (event) {
    case 'push': {
      const payload = checkPush(body) as PushPayload;
      return readParts([() => readPushEvent(payload)]);
    }
    case 'create': {
      if (!isGogs) return ignore('event create: the push event beside it says the same');
      const payload = checkCreate(body) as CreatePayload;
      return readParts([() => readCreateEvent(payload)]);
    }
    // Gitea names the kinds of change to a pull request in X-Gitea-Event-Type; the action in the body says the same.
    case 'pull_request': {
      const payload = checkPullRequest(body) as HubPullRequestPayload;
      return readParts([() => readHubPullRequest('gitea', payload)]);
    }
    case 'delete':
      return ignore('event delete: what was deleted starts nothing');
    default:
      return ignore(`event ${readLine(event) ?? '(none)'} starts nothing`);
  }
}

const eventHeaders = ['x-forgejo-event', 'x-gitea-event', 'x-gogs-event'] as const;
const signatureHeaders = ['x-forgejo-signature', 'x-gitea-signature', 'x-gogs-signature'] as const;

/** Gitea, Forgejo and Gogs. */
export const giteaProvider: GitProvider = {
  name: 'gitea',
  recognise: (headers) => eventHeaders.some((name) => headerOf(headers, name) !== undefined),
  verify: (headers, rawBody, secrets) => {
    // The first that is there is the one that counts: a wrong one is not made good by another.
    const given = signatureHeaders.map((name) => headerOf(headers, name)).find((value) => value !== undefined);
    return verifyHex(given, '', [rawBody], secrets);
  },
  deliveryId: (headers) => idOf(headers, 'x-forgejo-delivery', 'x-gitea-delivery', 'x-gogs-delivery'),
  parse: (headers, body) => {
    const event = eventHeaders.map((name) => headerOf(headers, name)).find((value) => value !== undefined);
    const isGogs =
      headerOf(headers, 'x-gitea-event') === undefined && headerOf(headers, 'x-forgejo-event') === undefined;
    return parse(event, isGogs, body);
  },
};
