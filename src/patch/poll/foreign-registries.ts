import { createHash } from 'node:crypto';
import { buffer as readBuffer, text as readText } from 'node:stream/consumers';
import type { Clock } from '../../domain/clock.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { FailureError } from '../../domain/failure.ts';
import type { RegistryCredential } from '../../domain/run-request.ts';
import type { TaskName } from '../../domain/task.ts';
import { listOf } from '../notice/members.ts';
import { manifestTypes } from '../own-registry.ts';
import { readBudget, readRetryAfter, type AnswerHeaders, type Budget } from './budget.ts';
import type { AskRegistry, RegistryAnswer, RegistryRequest } from './registry-session.ts';
import { apiUrlOf, type ForeignRepository } from './registry-url.ts';

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

/** For whom a registry is asked: their credentials may be used. */
export type OnBehalfOf = readonly TaskName[];

/** Foreign registries, asked through the guarded client. Nothing here rejects because of what a registry does. */
export interface ForeignRegistries {
  /** What a tag stands for, by one HEAD where that is enough. `etag`: what it was known by before. */
  headTag(image: ImageIdentity, tasks: OnBehalfOf, etag?: string): Promise<AskedTag>;
  /** All tags of a repository. */
  listTags(repository: ForeignRepository, tasks: OnBehalfOf): Promise<AskedTags>;
}

export interface ForeignRegistriesOptions {
  readonly ask: AskRegistry;
  readonly credentialsFor: (registry: string, tasks: OnBehalfOf) => Promise<readonly RegistryCredential[]>;
  readonly clock: Clock;
}

/** Repositories have thousands of tags, not millions. */
const maxPages = 100;

function headerOf(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

function explain({ status, headers }: RegistryAnswer, now: number): Unanswered {
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
  if (error instanceof SyntaxError)
    return { kind: 'failed', because: 'the registry sends what is no JSON', budget: {} };
  if (!(error instanceof FailureError)) throw error;
  const { reason, message } = error.failure;
  if (reason === 'redis-unavailable' || reason === 'internal') throw error;
  return { kind: reason === 'invalid-request' ? 'refused' : 'failed', because: message, budget: {} };
}

async function readDigest(answer: RegistryAnswer, ask: () => Promise<RegistryAnswer>): Promise<Digest | undefined> {
  const said = headerOf(answer.headers, 'docker-content-digest') ?? '';
  if (isDigest(said)) return said;
  const { status, body } = await ask();
  if (status !== 200) body.destroy();
  return status === 200
    ? (`sha256:${createHash('sha256')
        .update(await readBuffer(body))
        .digest('hex')}` as Digest)
    : undefined;
}

async function headTag(ask: AskRegistry, request: RegistryRequest, now: number): Promise<AskedTag> {
  const answer = await ask(request);
  answer.body.destroy();
  const budget = readBudget(answer.headers, now);
  if (answer.status === 304) return { kind: 'same', budget };
  // A registry that does not know HEAD, or does not say the digest, has its manifest read.
  const knowsHead = answer.status !== 405 && answer.status !== 501;
  if (answer.status !== 200 && knowsHead) return explain(answer, now);
  const { 'if-none-match': _, ...headers } = request.headers;
  const digest = await readDigest(answer, () => ask({ ...request, method: 'GET', headers }));
  if (digest === undefined) return { kind: 'refused', because: 'the registry does not say a digest', budget };
  const etag = headerOf(answer.headers, 'etag');
  return { kind: 'found', digest, budget, ...(etag !== undefined && { etag }) };
}

/** The next page, if it is one of the same registry (RFC 8288; distribution-spec, "Listing Tags"). */
function nextPage(headers: AnswerHeaders, { registry }: ForeignRepository): string | undefined {
  const [, link] = /<([^>]+)>\s*;[^,]*\brel="?next\b/i.exec(headerOf(headers, 'link') ?? '') ?? [];
  const base = apiUrlOf(registry);
  if (link === undefined || !URL.canParse(link, base)) return undefined;
  const url = new URL(link, base);
  return url.origin === new URL(base).origin ? url.href : undefined;
}

async function listTags(ask: AskRegistry, request: RegistryRequest, clock: Clock): Promise<AskedTags> {
  const tags: string[] = [];
  let path: string | undefined = 'tags/list?n=1000';
  let budget: Budget = {};
  for (let page = 0; path !== undefined && page < maxPages; page += 1) {
    const answer: RegistryAnswer = await ask({ ...request, path });
    if (answer.status !== 200) {
      answer.body.destroy();
      return explain(answer, clock.now());
    }
    budget = readBudget(answer.headers, clock.now());
    const found = listOf(JSON.parse(await readText(answer.body)) as unknown, 'tags');
    tags.push(...found.filter((tag) => typeof tag === 'string'));
    path = nextPage(answer.headers, request.repository);
  }
  return { kind: 'found', tags, budget };
}

/** Makes the client of foreign registries. */
export function createForeignRegistries(options: ForeignRegistriesOptions): ForeignRegistries {
  const { ask, credentialsFor, clock } = options;
  const to = ({ registry, repository }: ForeignRepository, tasks: OnBehalfOf) => ({
    repository: { registry, repository },
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
