import type { Readable } from 'node:stream';
import type { PatchingSettings } from '../config/patching.ts';
import type { SequencedEvent } from '../domain/event.ts';
import type { Clock } from '../domain/clock.ts';
import type { Notification, NotificationEvent, OutgoingDelivery } from '../domain/notification.ts';
import type { RunId } from '../domain/run.ts';
import type { RegistryCredential } from '../domain/run-request.ts';
import type { EnabledStatus, Task } from '../domain/task.ts';
import type { PatchingDesk } from '../patch/desk/ports.ts';
import type { InstallationKey } from '../secret/key-ring.ts';
import type { Signer } from '../secret/sign.ts';
import type { DeliveryQueue, PatchQueue, RunNotices, RunQueue } from '../queue/ports.ts';
import type { Store } from '../store/ports.ts';
import type { AccessDesk } from '../domain/registry-access.ts';
import type { RegistryUpkeep } from '../domain/registry-upkeep.ts';
import type { RegistryCare } from '../domain/registry-care.ts';
import type { ImportDesk } from '../domain/registry-import.ts';
import type { ScanDesk } from '../domain/scan-desk.ts';
import type { TrustDesk } from '../domain/registry-trust.ts';
import type { WebhookDesk } from './webhook-desk.ts';

/** Where uploaded contexts go. */
export interface UploadSink {
  /**
   * Stores a stream under a key, whole or not at all: when the stream fails or `signal` aborts, nothing is left, and the stream's
   * error is thrown. Reads no faster than it writes.
   */
  put(key: string, stream: Readable, signal: AbortSignal): Promise<void>;
  /** Removes what is stored under a key, if anything. */
  delete(key: string): Promise<void>;
}

/** The events of runs that are over, after their live copy is gone. */
export interface EventArchive {
  /** All events of a run in order; undefined when it has none archived. */
  read(runId: RunId): Promise<readonly SequencedEvent[] | undefined>;
}

/** A notification as `schemas/api/notification.schema.json` has it. */
export interface NotificationBody {
  readonly url: string;
  readonly events: readonly NotificationEvent[];
  readonly tasks?: readonly string[];
  readonly status?: EnabledStatus;
  readonly customHeaders?: Readonly<Record<string, string>>;
  readonly secret?: string;
  readonly rotateSecret?: boolean;
}

/** What people do with notifications. Rejects with `invalid-request`, `not-found` or `conflict`. */
export interface NotificationDesk {
  /** Writes one whole; a secret that was made for it is given this once. */
  put(
    name: string,
    body: NotificationBody,
    who: string,
  ): Promise<{ readonly notification: Notification; readonly secret?: string }>;
  /** Sends a test event once and tells what came of it. */
  ping(name: string): Promise<OutgoingDelivery>;
  /** Has a delivery made again, with all its tries. */
  replay(name: string, id: string): Promise<OutgoingDelivery>;
}

/** The admin account's name and its two passwords, either of which is good. */
export interface AdminCredential {
  readonly username: string;
  readonly passwords: readonly [string, string];
}

/** Where the admin account's passwords are shown and renewed. */
export interface AdminCredentialDesk {
  current(): AdminCredential;
  /** Puts a new password in the place of one; the old one ends. */
  renew(which: 1 | 2, who: string): Promise<AdminCredential>;
}

/** What is shown of a credential that the operator has set for a registry: no part of itself. */
export interface BaseImageCredentialEntry {
  /** Its host as images name it. */
  readonly registry: string;
  /** ISO 8601. */
  readonly lastUpdatedTime: string;
  readonly updatedBy: string;
}

/** Where the operator sets what other registries are asked with about base images. Rejects with `redis-unavailable`. */
export interface BaseImageCredentialDesk {
  /** By registry. */
  list(): Promise<readonly BaseImageCredentialEntry[]>;
  /** In place of an earlier one. Rejects with `conflict` when there are too many, `invalid-request` for our own registry. */
  set(registry: string, credential: RegistryCredential, who: string): Promise<BaseImageCredentialEntry>;
  /** False: there was none. */
  remove(registry: string, who: string): Promise<boolean>;
}

/** What is written to of a pino logger. */
export interface Log {
  debug(context: object, message: string): void;
  info(context: object, message: string): void;
  warn(context: object, message: string): void;
  error(context: object, message: string): void;
}

export interface Caller {
  readonly name: string;
}

/** The part of the configuration that the API answers from. Times in milliseconds, sizes in bytes. */
export interface AppConfig {
  /** The registry's name in the API. */
  readonly name: string;
  /** How clients reach the API, without a slash at the end. */
  readonly url: string;
  /** The registry's host as it stands in image names. */
  readonly registryHost: string;
  readonly anonymousPull: boolean;
  /** False: the admin account may not use the registry. */
  readonly registryAdmin?: boolean;
  /** `idleMs`: an upload that sends nothing for so long is given up (default 60 s). */
  readonly upload: { readonly maxBytes: number; readonly expiresMs: number; readonly idleMs?: number };
  /** How changes of base images are noticed; left out: by pushes to our registry alone, and tasks are not read before their first run. */
  readonly patching?: Pick<PatchingSettings, 'hookSecrets' | 'pollMs' | 'pollMsOf'>;
  /** What may be reached beyond the public internet (SLIPWAY_EGRESS_ALLOW): whether a registry there is asked hangs on it. */
  readonly egressAllow?: readonly string[];
  /** When the installation was made, ISO 8601; left out of the registry's document when absent. */
  readonly creationDate?: string;
  /** Time between two signs of life on a stream without events (default 15 s). */
  readonly heartbeatMs?: number;
}

/** What webhooks need that git forges deliver to. */
export interface HookOptions {
  readonly queue: Pick<DeliveryQueue, 'enqueue'>;
  /** What deliveries to the shared webhook are signed with; none: it is shut. */
  readonly sharedSecrets: readonly string[];
  /** The largest payload. */
  readonly maxBytes: number;
  /** Makes sure that a repository has a webhook at its forge; absent where this server can reach none. */
  readonly setUp?: SetUpWebhook;
}

/** A webhook that a forge is to have. */
export interface WebhookSetup {
  readonly repositoryUrl: string;
  /** The forge, where the name of its host does not tell. */
  readonly provider?: string | undefined;
  /** The root of the forge's API, where it does not follow from the repository's URL. */
  readonly apiUrl?: string | undefined;
  readonly token: string;
  /** Where deliveries go, and what they are signed with. */
  readonly url: string;
  readonly secret: string;
  readonly pullRequests: boolean;
}

/** Registers a webhook; resolves with what was done. Rejects with `forbidden`, `not-found`, `unsupported` or `source-unavailable`. */
export type SetUpWebhook = (
  setup: WebhookSetup,
) => Promise<readonly { readonly action: string; readonly id?: string }[]>;

export interface AppOptions {
  readonly config: AppConfig;
  readonly store: Store;
  readonly queue: RunQueue;
  /** Told of each run that was made. */
  readonly notices?: Pick<RunNotices, 'publish'>;
  /** Webhooks that git forges deliver to; absent: there are none. */
  readonly hooks?: HookOptions;
  /** The webhook that other registries tell of pushes; absent: there is none. `secrets`: what they must bring; none: it is shut. */
  readonly registryHook?: { readonly secrets: readonly string[]; readonly publish: PatchQueue['publish'] };
  /** Where notifications are kept; without it, there are none. */
  readonly notifications?: NotificationDesk;
  /** Where webhooks of the registry are kept; without it, there are none. */
  readonly webhooks?: WebhookDesk;
  /** Who may do what at the registry; without it, the API has nothing of that. */
  readonly access?: AccessDesk;
  /** Where images are imported; without it, they are not. */
  readonly imports?: ImportDesk;
  /** Whose signatures images must bear; without it, the API has nothing of that. */
  readonly trust?: TrustDesk;
  /** What scans images; without it, the API has nothing of that. */
  readonly scans?: ScanDesk;
  /** Policies of the registry, quarantine, and what was deleted; without it, the API has nothing of that. */
  readonly care?: RegistryCare;
  /** Keeps the registry's store in order; without it, the API has nothing of that. */
  readonly upkeep?: RegistryUpkeep;
  /** The passwords of the admin account; without it, the API does not show them. */
  readonly adminCredential?: AdminCredentialDesk;
  /** Base images and campaigns; without it, the API has none of them. */
  readonly patching?: PatchingDesk;
  /** What other registries are asked with about base images; without it, the API has nothing of that. */
  readonly baseImageCredentials?: BaseImageCredentialDesk;
  readonly blobs: UploadSink;
  readonly archive: EventArchive;
  /** Reads an uploaded archive to its end; throws `invalid-context` or `too-large` as soon as it sees what cannot be. */
  readonly inspectUpload: (stream: Readable, signal: AbortSignal) => Promise<void>;
  /** True when a context lies under this relative path. */
  readonly hasUpload: (relativePath: string) => Promise<boolean>;
  /** Splits the token off a source location. Throws `invalid-request` with field `sourceLocation`. */
  readonly checkLocation: (text: string) => { readonly location: string; readonly secret?: string };
  /** Who sends this `Authorization` header; undefined: nobody that is known. */
  readonly authenticate: (authorization: string | undefined) => Promise<Caller | undefined>;
  readonly signer: Signer;
  /** The installation's key. */
  readonly key: InstallationKey;
  readonly clock: Clock;
  /**
   * Told of each change of a task after the store has it: `before` is undefined for a new one, `after` for one that was deleted. Where it
   * rejects, the call is answered with that, and repeating the call is harmless.
   */
  readonly onTaskChanged?: (before: Task | undefined, after: Task | undefined) => Promise<void>;
  /** Told of a task before it is deleted; where it rejects, the task stays. */
  readonly onTaskDeleting?: (task: Task) => Promise<void>;
  /** A new secret for a task's webhook; of random bytes when not given. */
  readonly newSecret?: () => string;
  /** A new UUID. */
  readonly newId: () => string;
  readonly log: Log;
  /** What must answer for the server to be ready, by name; each rejects with the reason when it does not. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
}

/** The key under which the context of a relative path is stored. */
export function contextKey(relativePath: string): string {
  return `contexts/${relativePath}`;
}
