import type { GitProviderName } from '../../domain/git-repository.ts';

/** A repository as a delivery names it. Nothing of it is trusted beyond finding the tasks that watch it. */
export interface EventRepository {
  /** Every address that the forge gives for it (https, ssh, web), none with credentials; may be empty. */
  readonly cloneUrls: readonly string[];
  /** `owner/name`, `group/sub/name`, `PROJECT/slug`, `project/name`: as the forge calls it. */
  readonly fullName: string;
  /** Lower case, with a port that is not the scheme's own; absent where the delivery holds no address. */
  readonly host?: string;
  /** What the forge's API asks for when a status is reported: GitLab's and Azure DevOps' ids, Bitbucket's keys. */
  readonly ids: Readonly<Record<string, string>>;
}

/** Who pushed, or who opened the pull request: bounded text, for people to read. */
export interface EventPerson {
  readonly name: string;
}

export const pullRequestActions = ['opened', 'synchronize', 'reopened', 'closed'] as const;

/** GitHub's words, for all forges. `synchronize`: its branch has new commits. */
export type PullRequestAction = (typeof pullRequestActions)[number];

export interface EventPullRequest {
  readonly number: number;
  readonly action: PullRequestAction;
  /** Absent where the forge shortens it (Bitbucket Cloud): the head of the event's ref is meant. */
  readonly headCommit?: string;
  /** The head commit as the forge has it, perhaps shortened: good to tell two heads apart, not to fetch one. */
  readonly headMark?: string;
  /** The branch that is to be merged, without `refs/heads/`. */
  readonly headRef: string;
  /** Full name of the repository that holds it; absent when that is gone. */
  readonly headRepository?: string;
  /** Where the event's ref is to be fetched from when the base repository does not hold it (Bitbucket Cloud's forks). */
  readonly headCloneUrl?: string;
  /** The branch that it is to be merged into, without `refs/heads/`. */
  readonly baseRef: string;
  /** True unless the delivery says plainly that head and base are one repository. */
  readonly isFork: boolean;
  readonly title: string;
  readonly author?: EventPerson;
}

/** Which files a push touched, as far as the delivery tells. */
export interface ChangedPaths {
  /** Relative to the repository's root, each once. */
  readonly paths: readonly string[];
  /** False when the forge may have left some out: a path filter must not skip then. */
  readonly isComplete: boolean;
}

interface EventBase {
  readonly provider: GitProviderName;
  readonly repository: EventRepository;
  readonly sender?: EventPerson;
}

/** Commits on a branch, or a new branch. */
export interface PushEvent extends EventBase {
  readonly kind: 'push';
  /** `refs/heads/…` */
  readonly ref: string;
  readonly branch: string;
  /** The head after the push, never one of the commits on the way there. */
  readonly commit: string;
  /** The head before the push; absent for a new branch. */
  readonly before?: string;
  readonly changed?: ChangedPaths;
  /** The head commit's message. */
  readonly message?: string;
  /** The head commit's author. */
  readonly author?: EventPerson;
}

/** A tag made or moved. */
export interface TagEvent extends EventBase {
  readonly kind: 'tag';
  /** `refs/tags/…` */
  readonly ref: string;
  readonly tag: string;
  /** The commit; where the forge does not tell it apart, the annotated tag's own object, which leads to the commit. */
  readonly commit: string;
  readonly before?: string;
  readonly message?: string;
  readonly author?: EventPerson;
}

export interface PullRequestEvent extends EventBase {
  readonly kind: 'pull-request';
  /** What is fetched to build it: `refs/pull/7/head`, or as the forge names it. */
  readonly ref: string;
  readonly commit?: string;
  /** The head commit's message, where the delivery has it. */
  readonly message?: string;
  readonly pullRequest: EventPullRequest;
}

/** A branch or tag that is gone. */
export interface DeletedEvent extends EventBase {
  readonly kind: 'branch-deleted' | 'tag-deleted';
  readonly ref: string;
  /** Its short name. */
  readonly name: string;
  readonly before?: string;
}

/** The forge tries whether the webhook works. */
export interface PingEvent {
  readonly kind: 'ping';
  readonly provider: GitProviderName;
  readonly repository?: EventRepository;
}

/** What happened, in one vocabulary for all forges. Every text in it is bounded and free of control characters. */
export type GitEvent = PushEvent | TagEvent | PullRequestEvent | DeletedEvent | PingEvent;

/**
 * What a delivery comes to. One delivery can hold several events (Bitbucket and Azure DevOps send all refs of a push together);
 * `ignored` says for people why the rest, or all of it, starts nothing.
 */
export interface ParsedDelivery {
  readonly events: readonly GitEvent[];
  readonly ignored: readonly string[];
}

/** Names in lower case, as node:http gives them. */
export type DeliveryHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** `missing`: there is no signature or token at all. */
export type Verdict = 'ok' | 'missing' | 'wrong';

/** One forge's way of telling what happened. */
export interface GitProvider {
  readonly name: GitProviderName;
  /** True when the headers are this forge's. */
  recognise(headers: DeliveryHeaders): boolean;
  /**
   * Checks the signature or token of a delivery over its raw bytes, in a time that does not depend on them. Any one of `secrets`
   * may be the right one, so that they can be rotated; with none, nothing is ever `ok`.
   */
  verify(headers: DeliveryHeaders, rawBody: Buffer, secrets: readonly string[]): Verdict;
  /**
   * What the forge calls this delivery, the same when it sends it again; at most 200 characters. Undefined where it gives no such name.
   * @throws FailureError `invalid-request` where the name is in the body and that is not as documented.
   */
  deliveryId(headers: DeliveryHeaders, body: unknown): string | undefined;
  /**
   * Reads the parsed body of a delivery that was verified.
   * @throws FailureError `invalid-request` that names the field which is missing or not as the forge documents it.
   */
  parse(headers: DeliveryHeaders, body: unknown): ParsedDelivery;
}
