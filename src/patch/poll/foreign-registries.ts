import type { ImageAtDigest } from '../../domain/base-image.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';
import { FailureError } from '../../domain/failure.ts';
import type { RegistryCredential } from '../../domain/run-request.ts';
import type { TaskName } from '../../domain/task.ts';
import {
  hasDigest,
  manifestTypes,
  parseFields,
  sha256Of,
  type RegistryDocument,
} from '../../registry-client/documents.ts';
import { headerOf, nextPage, readRetryAfter } from '../../registry-client/headers.ts';
import { saidDigest } from '../../registry-client/manifests.ts';
import { originOf } from '../../registry-client/place.ts';
import type { Answer, AskRegistry, RegistryRequest, RepositoryPlace } from '../../registry-client/ports.ts';
import { discard, readSmall } from '../../registry-client/small-body.ts';
import { listOf } from '../notice/members.ts';
import { readBudget, type Budget } from './budget.ts';

/** Why a registry did not give what it was asked for. `busy`: it wants to be left alone for a while; `failed`: it may do better later. */
export type Unanswered =
  | { readonly kind: 'absent' | 'refused' | 'failed'; readonly because: string; readonly budget: Budget }
  | { readonly kind: 'busy'; readonly because: string; readonly budget: Budget; readonly retryAfterMs?: number };

/** What a tag stands for; `same`: what it stood for when its ETag was given. */
export type AskedTag =
  | { readonly kind: 'found'; readonly digest: Digest; readonly etag?: string; readonly budget: Budget }
  | { readonly kind: 'same'; readonly budget: Budget }
  | Unanswered;

export type AskedTags =
  { readonly kind: 'found'; readonly tags: readonly string[]; readonly budget: Budget } | Unanswered;

export type AskedManifest =
  { readonly kind: 'found'; readonly document: RegistryDocument; readonly budget: Budget } | Unanswered;

/** For whom a registry is asked: their credentials may be used. */
export type OnBehalfOf = readonly TaskName[];

/** Foreign registries, asked through the guarded client. Nothing here rejects because of what a registry does. */
export interface ForeignRegistries {
  /** What a tag stands for, by one HEAD where that is enough. `etag`: what it was known by before. */
  headTag(image: ImageIdentity, tasks: OnBehalfOf, etag?: string): Promise<AskedTag>;
  /** The manifest or index that a digest stands for, checked against it. */
  readManifest(image: ImageAtDigest, tasks: OnBehalfOf): Promise<AskedManifest>;
  /** All tags of a repository. */
  listTags(repository: RepositoryPlace, tasks: OnBehalfOf): Promise<AskedTags>;
}

export interface ForeignRegistriesOptions {
  /** Sends each request once: when a registry is asked again is seen to here. */
  readonly ask: AskRegistry;
  /** How long one request may take, milliseconds; 15 s when left out. */
  readonly timeoutMs?: number;
  readonly credentialsFor: (registry: string, tasks: OnBehalfOf) => Promise<readonly RegistryCredential[]>;
  readonly clock: Clock;
}

/** Repositories have thousands of tags, not millions. */
const maxPages = 100;
const maxBytes = 8 * 1024 * 1024;
const usualTimeoutMs = 15_000;

function explain({ status, headers }: Answer, now: number): Unanswered {
  const budget = readBudget(headers, now);
  const because = `the registry answers ${String(status)}`;
  if (status === 404) return { kind: 'absent', because, budget };
  const retryAfterMs = readRetryAfter(headers, now);
  if (status === 429 || (status === 503 && retryAfterMs !== undefined))
    return { kind: 'busy', because, budget, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  return { kind: status >= 500 ? 'failed' : 'refused', because, budget };
}

/** The guarded client's own failures: a host that may not be reached never may, the others may pass. */
function explainFailure(error: unknown): Unanswered {
  if (!(error instanceof FailureError)) throw error;
  const { reason, message } = error.failure;
  if (reason === 'redis-unavailable' || reason === 'internal') throw error;
  return { kind: reason === 'invalid-request' ? 'refused' : 'failed', because: message, budget: {} };
}

async function readDigest(answer: Answer, ask: () => Promise<Answer>): Promise<Digest | undefined> {
  const said = saidDigest(answer.headers);
  if (said !== undefined) return said;
  const read = await ask();
  if (read.status === 200) return sha256Of(await readSmall(read.body, maxBytes, 'the manifest'));
  discard(read);
  return undefined;
}

async function headTag(ask: AskRegistry, request: RegistryRequest, now: number): Promise<AskedTag> {
  const answer = await ask(request);
  discard(answer);
  const budget = readBudget(answer.headers, now);
  if (answer.status === 304) return { kind: 'same', budget };
  // A registry that does not know HEAD, or does not say the digest, has its manifest read.
  const knowsHead = answer.status !== 405 && answer.status !== 501;
  if (answer.status !== 200 && knowsHead) return explain(answer, now);
  const { 'if-none-match': _, ...headers } = request.headers ?? {};
  const digest = await readDigest(answer, () => ask({ ...request, method: 'GET', headers }));
  if (digest === undefined) return { kind: 'refused', because: 'the registry does not say a digest', budget };
  const etag = headerOf(answer.headers, 'etag');
  return { kind: 'found', digest, budget, ...(etag !== undefined && { etag }) };
}

async function readManifest(ask: AskRegistry, request: RegistryRequest, digest: Digest, now: number) {
  const answer = await ask(request);
  if (answer.status !== 200) {
    discard(answer);
    return explain(answer, now);
  }
  const budget = readBudget(answer.headers, now);
  const bytes = await readSmall(answer.body, maxBytes, 'the manifest');
  if (!hasDigest(bytes, digest))
    return { kind: 'failed', because: 'the registry sends another manifest', budget } as const;
  const mediaType = headerOf(answer.headers, 'content-type') ?? '';
  return { kind: 'found', document: { digest, mediaType, bytes }, budget } as const;
}

async function listTags(ask: AskRegistry, request: RegistryRequest, clock: Clock): Promise<AskedTags> {
  const tags: string[] = [];
  let path: string | undefined = 'tags/list?n=1000';
  let budget: Budget = {};
  for (let page = 0; path !== undefined && page < maxPages; page += 1) {
    const answer: Answer = await ask({ ...request, path });
    if (answer.status !== 200) {
      discard(answer);
      return explain(answer, clock.now());
    }
    budget = readBudget(answer.headers, clock.now());
    const page = parseFields(await readSmall(answer.body, maxBytes, 'a list of tags'));
    if (page === undefined) return { kind: 'failed', because: 'the registry sends what is no JSON', budget };
    tags.push(...listOf(page, 'tags').filter((tag) => typeof tag === 'string'));
    path = nextPage(answer.headers, `${originOf(request.place.registry)}/v2/`);
  }
  return { kind: 'found', tags, budget };
}

/** Makes the client of foreign registries. */
export function createForeignRegistries(options: ForeignRegistriesOptions): ForeignRegistries {
  const { ask, credentialsFor, clock, timeoutMs = usualTimeoutMs } = options;
  const to = ({ registry, repository }: RepositoryPlace, tasks: OnBehalfOf) => ({
    place: { registry, repository },
    timeoutMs,
    credentials: () => credentialsFor(registry, tasks),
  });
  return {
    async headTag(image, tasks, etag) {
      const headers = { accept: manifestTypes, ...(etag !== undefined && { 'if-none-match': etag }) };
      const path = `manifests/${image.tag ?? 'latest'}`;
      try {
        return await headTag(ask, { ...to(image, tasks), path, method: 'HEAD', headers }, clock.now());
      } catch (error) {
        return explainFailure(error);
      }
    },
    async readManifest(image, tasks) {
      const path = `manifests/${image.digest}`;
      const request = { ...to(image, tasks), path, method: 'GET', headers: { accept: manifestTypes } } as const;
      try {
        return await readManifest(ask, request, image.digest, clock.now());
      } catch (error) {
        return explainFailure(error);
      }
    },
    async listTags(repository, tasks) {
      const headers = { accept: 'application/json' };
      try {
        return await listTags(ask, { ...to(repository, tasks), path: '', method: 'GET', headers }, clock);
      } catch (error) {
        return explainFailure(error);
      }
    },
  };
}
