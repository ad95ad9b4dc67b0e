import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Journal } from '../blob/journal-ports.ts';
import type { BlobStore } from '../blob/ports.ts';
import type { Clock } from '../domain/clock.ts';
import type { Digest } from '../domain/digest.ts';
import type { RegistryEvent } from '../domain/event.ts';
import type { AccessDesk } from '../domain/registry-access.ts';
import type { TrustDesk } from '../domain/registry-trust.ts';
import type { RegistryCare } from '../domain/registry-care.ts';
import type { RegistryUpkeep } from '../domain/registry-upkeep.ts';
import type { Principal } from './access/principal.ts';
import type { RegistryAccessOptions } from './access/registry-access.ts';
import type { ScanPolicyDesk } from '../domain/scan-desk.ts';
import type { OpenRemote } from './imports/ports.ts';
import type { ImportDesk } from '../domain/registry-import.ts';
import type { CollectionSettings } from './collector/settings.ts';
import type { CareSettings } from './policies/settings.ts';

export type { RegistryAction } from './access/actions.ts';
export type { Principal } from './access/principal.ts';

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
  /** How long small contents, which the journal has, wait for their place in the store when there are few. Milliseconds. */
  readonly placeAfterMs: number;
  /** How long a process that committed an event is given to tell it, before another one does. Milliseconds. */
  readonly eventTakeoverMs: number;
  /** Entries of the journal after which a snapshot is worth while, so that a start has no more than these to read; large registries: more. */
  readonly snapshotEntries: number;
  /** Between two times that pulls are written down: what a crash can make forgotten of them. Milliseconds. */
  readonly pullNotesMs: number;
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
  placeAfterMs: 500,
  eventTakeoverMs: 30_000,
  snapshotEntries: 4096,
  pullNotesMs: 5 * 60 * 1000,
};

export interface RegistryOptions extends Partial<Omit<RegistryAccessOptions, 'records' | 'clock' | 'anonymousPull'>> {
  readonly storage: BlobStore;
  /** What happened, in its order; the registry closes it. Default: objects in `storage`, for one process alone. */
  readonly journal?: Journal;
  /** Checks a name and password; undefined: they are wrong. Who may be asked again later what they may do is one of `sources` instead. */
  readonly authenticate?: (
    username: string,
    password: string,
  ) => Promise<Principal | undefined> | Principal | undefined;
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
  /** What the registry is called in image names (`127.0.0.1:5080`). */
  readonly registryHost?: string;
  /** Opens repositories of other registries that images are imported from. */
  readonly openRemote?: OpenRemote;
  /** When what is not used any more is collected. */
  readonly collection?: Partial<CollectionSettings>;
  /** Limits, and when policies are applied. */
  readonly care?: Partial<CareSettings>;
  /** Makes ids of uploads and events: lower case letters, digits and `-`. Default: random UUIDs. */
  readonly newId?: () => string;
}

/** What a reference stands for. */
export interface Resolved {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest. */
  readonly size: number;
}

/** A running registry. */
export interface Registry extends RegistryUpkeep {
  /** Where scope maps, tokens and service principals are looked after. */
  readonly accessDesk: AccessDesk;
  /** Where images are imported. */
  readonly imports: ImportDesk;
  /** Where policies, quarantine and what was deleted are looked after. */
  readonly care: RegistryCare;
  /** Where trust policies are looked after. */
  readonly trustDesk: TrustDesk;
  /** What scans images that are pushed. */
  readonly scanPolicy: ScanPolicyDesk;
  /**
   * Serves a request for `/v2…`, `/acr/v1/…` or `/oauth2/…`; false, with nothing done, for any other.
   * `awaitsContinue`: the client waits for `100 Continue` before it sends the body, and has not been told yet.
   */
  handle(req: IncomingMessage, res: ServerResponse, how?: { readonly awaitsContinue?: boolean }): boolean;
  /** What a tag or digest stands for; undefined when there is no such thing. What is in quarantine is there. */
  resolve(repository: string, reference: string): Resolved | undefined;
  /** Names of repositories that hold a manifest, in ascending order. */
  listRepositories(): readonly string[];
  /** Tags in ascending order; undefined when there is no such repository. */
  listTags(repository: string): readonly string[] | undefined;
  /** How many events wait to be told, or to be noted as told. */
  countUntoldEvents(): number;
  /** Removes uploads that nobody continued for a day; also runs by itself, hourly. Resolves to their number. */
  removeExpiredUploads(): Promise<number>;
  /** Stops timers and waits for events that are being told. Requests under way are the server's to end. */
  close(): Promise<void>;
}
