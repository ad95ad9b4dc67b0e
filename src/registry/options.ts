import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlobStore } from '../blob/ports.ts';
import type { Clock } from '../domain/clock.ts';
import type { Digest } from '../domain/digest.ts';
import type { RegistryEvent } from '../domain/event.ts';

/** What a principal can do to a repository; `catalog` is asked of the whole registry, named `*`. */
export type RegistryAction = 'pull' | 'push' | 'delete' | 'catalog';

/** Somebody known. */
export interface Principal {
  /** Written into records and events (`by`). */
  readonly name: string;
  may(repository: string, action: RegistryAction): boolean;
  /** True: a tag stays where it is when what is pushed to it is the same image but for times. */
  readonly keepsSame?: boolean;
}

/** What a request needed when it was refused: for the challenge that tells a client what to ask for. */
export interface Wanted {
  /** Undefined: access to the registry as such (the ping at `/v2/`). */
  readonly repository?: string;
  readonly actions: readonly RegistryAction[];
  /** The scheme and host that the client used, without a slash at the end. */
  readonly origin: string;
}

/** Token authentication: both parts go together. */
export interface BearerOptions {
  /** The value of `WWW-Authenticate` for a request that was refused. */
  challenge(wanted: Wanted): string;
  /** Whom a token stands for; undefined when it is forged or over. `anonymous`: nobody, with a valid token. */
  authenticate(token: string): Promise<Principal | 'anonymous' | undefined>;
}

/** Where the registry writes what an operator should know (pino fits). */
export interface RegistryLogger {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Bounds; each has a default, see {@link defaultLimits}. */
export interface RegistryLimits {
  /** Bytes of a manifest. */
  readonly manifestBytes: number;
  /** Bytes of a blob. */
  readonly blobBytes: number;
  /** Levels of objects and arrays in a manifest. */
  readonly jsonDepth: number;
  /** How long an upload that nobody continues is kept, milliseconds. */
  readonly uploadIdleMs: number;
  /** How long a connection may be silent in the middle of a request, milliseconds. */
  readonly socketIdleMs: number;
  /** Entries of one page of tags or repositories, whatever `n` says. */
  readonly pageEntries: number;
  /** Bytes of one page of referrers. */
  readonly referrersBytes: number;
  /** Bytes of manifests that are kept in memory. */
  readonly manifestCacheBytes: number;
  /** The first wait before an event that was not taken is raised again; doubles up to a minute. Milliseconds. */
  readonly eventRetryMs: number;
}

export const defaultLimits: RegistryLimits = {
  manifestBytes: 4 * 1024 * 1024,
  blobBytes: 200 * 1024 ** 3,
  jsonDepth: 64,
  uploadIdleMs: 24 * 60 * 60 * 1000,
  socketIdleMs: 120_000,
  pageEntries: 1000,
  referrersBytes: 3_500_000,
  manifestCacheBytes: 16 * 1024 * 1024,
  eventRetryMs: 1000,
};

export interface RegistryOptions {
  readonly storage: BlobStore;
  /** Checks a name and password; undefined: they are wrong. */
  authenticate(username: string, password: string): Promise<Principal | undefined> | Principal | undefined;
  /** Lets everybody pull without credentials. */
  readonly anonymousPull: boolean;
  /**
   * Told of every accepted change, at least once, also across restarts; when it rejects it is told again later.
   * The client's answer does not wait for it.
   */
  onEvent(event: RegistryEvent): Promise<void> | void;
  readonly clock: Clock;
  readonly logger?: RegistryLogger;
  readonly limits?: Partial<RegistryLimits>;
  /** Makes ids of uploads and events: lower case letters, digits and `-`. Default: random UUIDs. */
  readonly newId?: () => string;
  /** Replaces the token service that the registry brings itself. */
  readonly bearer?: BearerOptions;
}

/** What a reference stands for. */
export interface Resolved {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest. */
  readonly size: number;
}

/** A running registry. */
export interface Registry {
  /**
   * Serves a request for `/v2…` or `/oauth2/token`; false, with nothing done, for any other.
   * `awaitsContinue`: the client waits for `100 Continue` before it sends the body, and has not been told yet.
   */
  handle(req: IncomingMessage, res: ServerResponse, how?: { readonly awaitsContinue?: boolean }): boolean;
  /** What a tag or digest stands for; undefined when there is no such thing. */
  resolve(repository: string, reference: string): Resolved | undefined;
  /** Names of repositories that hold a manifest, in ascending order. */
  listRepositories(): readonly string[];
  /** Tags in ascending order; undefined when there is no such repository. */
  listTags(repository: string): readonly string[] | undefined;
  /** Removes uploads that nobody continued for a day; also runs by itself, hourly. Resolves to their number. */
  removeExpiredUploads(): Promise<number>;
  /** Stops timers and waits for events that are being told. Requests under way are the server's to end. */
  close(): Promise<void>;
}
