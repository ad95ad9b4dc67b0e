import { given } from './given.ts';
import type { DeliveryHeaders, EventRepository, GitEvent, GitProvider, ParsedDelivery } from './event.ts';
import type { EventPerson, PullRequestAction } from './event.ts';
import { createPayloadCheck } from './payload.ts';
import { ignore, readParts, readPerson, readRefUpdate, type Origin } from './ref-update.ts';
import { hostOfRepository, keepAddresses } from '../../domain/git-repository.ts';
import { headerOf, verifyToken } from './signature.ts';
import { readCommit, readLine, readRef, toIds } from './text.ts';

interface Person {
  readonly displayName?: string | null;
  readonly uniqueName?: string | null;
}

interface Repository {
  readonly id?: string | null;
  readonly name: string;
  readonly remoteUrl?: string | null;
  readonly sshUrl?: string | null;
  readonly webUrl?: string | null;
  readonly project: { readonly id?: string | null; readonly name: string };
}

interface PushPayload {
  readonly resource: {
    readonly commits?:
      | readonly {
          readonly commitId: string;
          readonly comment?: string | null;
          readonly author?: { readonly name?: string | null } | null;
        }[]
      | null;
    readonly refUpdates: readonly {
      readonly name: string;
      readonly oldObjectId?: string | null;
      readonly newObjectId?: string | null;
    }[];
    readonly repository: Repository;
    readonly pushedBy?: Person | null;
  };
}

interface PullRequestPayload {
  readonly resource: {
    readonly pullRequestId: number;
    readonly status?: string | null;
    readonly title?: string | null;
    readonly createdBy?: Person | null;
    readonly sourceRefName: string;
    readonly targetRefName: string;
    readonly lastMergeSourceCommit?: { readonly commitId: string } | null;
    readonly forkSource?: { readonly repository?: Repository | null } | null;
    readonly repository: Repository;
  };
}

interface Envelope {
  readonly id?: string;
  readonly eventType: string;
}

const checkEnvelope = createPayloadCheck('azure-devops-envelope');
const checkPush = createPayloadCheck('azure-devops-push');
const checkPullRequest = createPayloadCheck('azure-devops-pull-request');

function toFullName({ project, name }: Repository): string {
  return `${project.name}/${name}`;
}

function readRepository(repository: Repository): EventRepository {
  const cloneUrls = keepAddresses([repository.remoteUrl, repository.sshUrl, repository.webUrl]);
  return given({
    cloneUrls,
    fullName: readLine(toFullName(repository)) ?? '',
    host: hostOfRepository(cloneUrls),
    ids: toIds({ repositoryId: repository.id ?? undefined, projectId: repository.project.id ?? undefined }),
  });
}

function readOrigin(repository: Repository, person: Person | null | undefined): Origin {
  return { provider: 'azure-devops', repository: readRepository(repository), sender: readIdentity(person) };
}

function readIdentity(person: Person | null | undefined): EventPerson | undefined {
  return readPerson(person?.displayName, person?.uniqueName);
}

type ResourceOfPush = PushPayload['resource'];

function readUpdate(
  resource: ResourceOfPush,
  update: ResourceOfPush['refUpdates'][number],
  at: number,
): GitEvent | string {
  const head = resource.commits?.find(({ commitId }) => commitId === update.newObjectId);
  return readRefUpdate(readOrigin(resource.repository, resource.pushedBy), {
    ref: update.name,
    refField: `resource.refUpdates[${String(at)}].name`,
    afterField: `resource.refUpdates[${String(at)}].newObjectId`,
    before: update.oldObjectId,
    after: update.newObjectId,
    message: head?.comment,
    author: head?.author?.name,
  });
}

/** `updated` is also sent for votes and reviewers: a head commit that was built before is not built again. */
function toAction(eventType: string, status: string | null | undefined): PullRequestAction {
  if (status === 'completed' || status === 'abandoned') return 'closed';
  return eventType === 'git.pullrequest.created' ? 'opened' : 'synchronize';
}

function readPullRequestEvent(eventType: string, { resource }: PullRequestPayload): GitEvent {
  const commit = readCommit(resource.lastMergeSourceCommit?.commitId ?? '', 'resource.lastMergeSourceCommit.commitId');
  const headRef = toBranch(resource.sourceRefName, 'resource.sourceRefName');
  return given({
    ...readOrigin(resource.repository, undefined),
    kind: 'pull-request' as const,
    provider: 'azure-devops' as const,
    // Azure DevOps keeps refs of merges only; the head is a branch of the repository, or of the fork.
    ref: `refs/heads/${headRef}`,
    commit,
    pullRequest: given({
      number: resource.pullRequestId,
      action: toAction(eventType, resource.status),
      headCommit: commit,
      headRef,
      ...readHead(resource),
      baseRef: toBranch(resource.targetRefName, 'resource.targetRefName'),
      title: readLine(resource.title) ?? '',
      author: readIdentity(resource.createdBy),
    }),
  });
}

interface Head {
  readonly isFork: boolean;
  readonly headRepository: string | undefined;
  readonly headCloneUrl: string | undefined;
}

/** Whose branch it is. A fork that is named without its repository has no address: nothing can be fetched then. */
function readHead({ forkSource, repository }: PullRequestPayload['resource']): Head {
  if (forkSource === null || forkSource === undefined) {
    return { isFork: false, headRepository: readLine(toFullName(repository)), headCloneUrl: undefined };
  }
  const fork = forkSource.repository ?? undefined;
  const headCloneUrl = keepAddresses([fork?.remoteUrl, fork?.sshUrl])[0];
  return { isFork: true, headRepository: fork && readLine(toFullName(fork)), headCloneUrl };
}

function toBranch(ref: string, field: string): string {
  return readRef(ref, field).replace(/^refs\/heads\/(?=.)/, '');
}

function parse(body: unknown): ParsedDelivery {
  const { eventType } = checkEnvelope(body) as Envelope;
  switch (eventType) {
    case 'git.push': {
      const { resource } = checkPush(body) as PushPayload;
      return readParts(resource.refUpdates.map((update, at) => () => readUpdate(resource, update, at)));
    }
    case 'git.pullrequest.created':
    case 'git.pullrequest.updated': {
      const payload = checkPullRequest(body) as PullRequestPayload;
      return readParts([() => readPullRequestEvent(eventType, payload)]);
    }
    default:
      return ignore(`event ${readLine(eventType) ?? '(none)'} starts nothing`);
  }
}

/** The password of HTTP basic authentication, which is all that a service hook can be given besides a header of its own. */
function readPassword(authorization: string | undefined): string | undefined {
  const text = /^Basic ([A-Za-z0-9+/=]{1,4096})$/i.exec(authorization ?? '')?.[1];
  if (text === undefined) return undefined;
  const login = Buffer.from(text, 'base64').toString('utf8');
  const colon = login.indexOf(':');
  return colon < 0 ? undefined : login.slice(colon + 1);
}

const tokenHeader = 'x-slipway-token';

function givenToken(headers: DeliveryHeaders): string | undefined {
  return headerOf(headers, tokenHeader) ?? readPassword(headerOf(headers, 'authorization'));
}

/**
 * Azure DevOps' service hooks. They sign nothing and name themselves only by their user agent: the secret is the password of basic
 * authentication (the user name does not matter), or the header `X-Slipway-Token`.
 */
export const azureDevopsProvider: GitProvider = {
  name: 'azure-devops',
  recognise: (headers) =>
    /^VSServices\//i.test(headerOf(headers, 'user-agent') ?? '') ||
    headerOf(headers, 'x-vss-subscriptionid') !== undefined ||
    givenToken(headers) !== undefined,
  verify: (headers, _rawBody, secrets) => verifyToken(givenToken(headers), secrets),
  deliveryId: (_headers, body) => (checkEnvelope(body) as Envelope).id,
  parse: (_headers, body) => parse(body),
};
