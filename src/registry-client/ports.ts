import type { Readable } from 'node:stream';
import type { RegistryCredential } from '../domain/run-request.ts';

/** Headers by name in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What is sent: bytes, or a stream of so many of them, made anew for every try. */
export type SentBody = Uint8Array | StreamedBody;

export interface StreamedBody {
  /** Bytes. */
  readonly size: number;
  readonly open: () => Readable | Promise<Readable>;
}

export interface SentRequest {
  readonly url: string;
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: SentBody | undefined;
  /** For the whole of it, the answer's body included. */
  readonly signal?: AbortSignal | undefined;
  /** For the whole of it too, milliseconds; as long as anything moves when left out. */
  readonly timeoutMs?: number | undefined;
}

/** What a server answered, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** To be read once or destroyed. */
  readonly body: Readable;
}

/** Sends one request and follows no redirect. */
export interface Sender {
  /**
   * @throws `invalid-request` for a host that may not be reached, what `SentRequest.body` is opened or ends with, `source-unavailable` when the
   * connection fails, `timed-out`; the signal's reason when it aborts.
   */
  send(request: SentRequest): Promise<Answer>;
  /** Lets go of idle connections. */
  close(): void;
}

/** A repository of a registry. */
export interface RepositoryPlace {
  /** As images name it: `ghcr.io`, `127.0.0.1:5080`; Docker Hub is `docker.io`. */
  readonly registry: string;
  readonly repository: string;
}

/** What a token has to be good for. */
export type Rights = 'pull' | 'push' | 'delete';

/** A request to a repository, by somebody who may have to log in. */
export interface RegistryRequest {
  readonly place: RepositoryPlace;
  /** What follows the repository: `manifests/latest`; or a whole URL. */
  readonly path: string;
  readonly method: Method;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: SentBody | undefined;
  /** It does something else when it comes twice, so that only its caller may send it again. */
  readonly isOnce?: boolean;
  /** What it needs; `pull` when left out. */
  readonly rights?: Rights;
  /** The repository that a blob is mounted from. */
  readonly from?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For the whole of it, milliseconds; as long as anything moves when left out. */
  readonly timeoutMs?: number | undefined;
  /** Credentials that may be tried, in order, instead of those of the session; asked for when the registry wants one. */
  readonly credentials?: (() => Promise<readonly RegistryCredential[]>) | undefined;
}

/** Sends requests to registries, logged in as they ask for it. Any status is an answer. Rejects as {@link Sender.send} does. */
export type AskRegistry = (request: RegistryRequest) => Promise<Answer>;
