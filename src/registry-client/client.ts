import type { Readable } from 'node:stream';
import type { Clock } from '../domain/clock.ts';
import { systemClock } from '../domain/clock.ts';
import type { Digest } from '../domain/digest.ts';
import type { RegistryCredential } from '../domain/run-request.ts';
import { blobSize, openBlob, smallBlob, type BlobWish } from './blobs.ts';
import { createCaller, usualLimits, type Caller, type ClientLimits } from './caller.ts';
import type { Descriptor, RegistryDocument } from './documents.ts';
import { listReferrers, listTags } from './lists.ts';
import { getManifest, putManifest, resolve, type ManifestParts, type PutManifest } from './manifests.ts';
import { originOf } from './place.ts';
import type { AskRegistry, Sender } from './ports.ts';
import { pauseMs, sleepFor, withRetries, type RetryOptions } from './retry.ts';
import { createSender } from './sender.ts';
import { createOwnSession, createRegistrySession, type SessionOptions } from './session.ts';
import type { SentBlob } from './upload-session.ts';
import { mount, putBlob, uploadBlob, type UploadWish } from './uploads.ts';

/** One registry. Every method rejects with a RegistryRefusal when the registry says no or is out of reach, with the signal's reason. */
export interface RegistryClient {
  /** As images name it. */
  readonly registry: string;
  /** What a tag or digest stands for; undefined when there is none. */
  resolve(repository: string, reference: string): Promise<Digest | undefined>;
  /** The manifest or index itself, at most 4 MiB, its digest checked. */
  manifest(repository: string, reference: string): Promise<RegistryDocument | undefined>;
  /** Puts a manifest under a tag, or under its digest alone; with its parts to a registry of our own only. */
  putManifest(
    repository: string,
    reference: string,
    manifest: RegistryDocument,
    parts?: ManifestParts,
  ): Promise<PutManifest>;
  /** Bytes of a blob; undefined when it is not there. */
  blobSize(repository: string, digest: Digest): Promise<number | undefined>;
  /** A small blob, at most 4 MiB, its digest checked. */
  smallBlob(repository: string, digest: Digest): Promise<Buffer>;
  /** A blob as it comes: gone on with where it breaks off, and an error at its end if it is another one. */
  openBlob(repository: string, digest: Digest, wish?: BlobWish): Promise<Readable>;
  /** Makes a blob of another repository one of this; false when the registry does not. */
  mount(repository: string, digest: Digest, from: string): Promise<boolean>;
  /** Sends a blob that is at hand. */
  putBlob(repository: string, blob: { readonly digest: Digest; readonly bytes: Uint8Array }): Promise<void>;
  /** Sends a blob as a stream. */
  uploadBlob(repository: string, blob: SentBlob, wish?: UploadWish): Promise<void>;
  /** All tags; undefined when there is no such repository. */
  tags(repository: string): Promise<readonly string[] | undefined>;
  /** The manifests about a manifest, by the registry's list or the fallback tag. */
  referrers(repository: string, digest: Digest, artifactType?: string): Promise<readonly Descriptor[]>;
}

export interface RegistryClientOptions extends SessionOptions, Omit<RetryOptions, 'clock'> {
  readonly limits?: Partial<ClientLimits>;
}

/** Clients of registries that share their logins. */
export interface RegistryClients {
  /** A client of one registry; everything that it does ends with the signal. */
  at(registry: string, signal?: AbortSignal): RegistryClient;
  /** Requests as they are, sent again where that helps: for what the client has no word for. */
  readonly ask: AskRegistry;
}

function clientOf(caller: Caller): RegistryClient {
  return {
    registry: caller.registry,
    resolve: (repository, reference) => resolve(caller, repository, reference),
    manifest: (repository, reference) => getManifest(caller, repository, reference),
    putManifest: (repository, reference, manifest, parts) =>
      putManifest(caller, { repository, reference }, manifest, parts),
    blobSize: (repository, digest) => blobSize(caller, repository, digest),
    smallBlob: (repository, digest) => smallBlob(caller, repository, digest),
    openBlob: (repository, digest, wish) => openBlob(caller, { repository, digest }, wish),
    mount: (repository, digest, from) => mount(caller, repository, digest, from),
    putBlob: (repository, blob) => putBlob(caller, repository, blob),
    uploadBlob: (repository, blob, wish) => uploadBlob(caller, repository, blob, wish),
    tags: (repository) => listTags(caller, repository),
    referrers: (repository, digest, artifactType) => listReferrers(caller, repository, digest, artifactType),
  };
}

/** What all clients have in common. */
type Patience = Omit<RegistryClientOptions, keyof SessionOptions> & Pick<RegistryClientOptions, 'clock'>;

function createClients(
  session: AskRegistry,
  options: Patience,
  { originOf, isTrusted }: { readonly originOf: (registry: string) => string; readonly isTrusted: boolean },
): RegistryClients {
  const { clock, random = Math.random, sleep = sleepFor } = options;
  const ask = withRetries(session, options);
  const limits = { ...usualLimits, ...options.limits };
  return {
    ask,
    at: (registry, signal) =>
      clientOf(
        createCaller({
          ...{ ask, clock, registry, limits, signal, isTrusted },
          origin: originOf(registry),
          pause: (tries) => sleep(pauseMs(tries, random()), signal),
        }),
      ),
  };
}

/** Makes clients of registries that ask in somebody else's way, who sees to logins. */
export function createClientsOver(ask: AskRegistry, options: Patience): RegistryClients {
  return createClients(ask, options, { originOf, isTrusted: false });
}

/** Makes clients of registries: logged in as they ask for it, patient with those that are busy, and wary of what they send. */
export function createRegistryClients(options: RegistryClientOptions): RegistryClients {
  return createClients(createRegistrySession(options), options, {
    originOf: options.originOf ?? originOf,
    isTrusted: false,
  });
}

/** Our own registry, and who asks. */
export interface OwnRegistryAccess {
  /** `http://127.0.0.1:5080`, without a slash at its end. */
  readonly origin: string;
  /** Sent with every request. */
  readonly credential: RegistryCredential | undefined;
  readonly signal?: AbortSignal;
  /** Left out: one of its own, without guard. */
  readonly sender?: Sender;
  readonly clock?: Clock;
  /** Tries of each request; 1 when left out. */
  readonly tries?: number;
  readonly limits?: Partial<ClientLimits>;
}

/** Makes a client of a registry that takes a name and password with every request, wherever it is. */
export function connectRegistry(access: OwnRegistryAccess): RegistryClient {
  const { origin, credential, signal, sender = createSender(), clock = systemClock, tries = 1, limits } = access;
  const session = createOwnSession({ origin, credential, sender });
  const patience = { clock, tries, ...(limits && { limits }) };
  return createClients(session, patience, { originOf: () => origin, isTrusted: true }).at(new URL(origin).host, signal);
}
