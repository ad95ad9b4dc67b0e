import type { Readable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../domain/clock.ts';
import type { RegistryCredential } from '../../domain/run-request.ts';
import type { Egress } from '../../egress/ports.ts';
import type { AnswerHeaders } from './budget.ts';
import { readChallenge, tokenUrlOf, type Challenge } from './challenge.ts';
import { textOf, memberOf } from '../notice/members.ts';
import { apiUrlOf, isLoopback, type ForeignRepository } from './registry-url.ts';

export interface SessionOptions {
  readonly egress: Pick<Egress, 'fetch'>;
  readonly clock: Clock;
  /** How long one request may take; 15 s when left out. */
  readonly timeoutMs?: number;
}

/** A GET or HEAD of something in a repository. */
export interface RegistryRequest {
  readonly repository: ForeignRepository;
  /** What follows the repository: `manifests/latest`; or a whole URL of the same registry. */
  readonly path: string;
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  /** Those that may be tried, in order; asked for when the registry wants one. */
  readonly credentials: () => Promise<readonly RegistryCredential[]>;
}

export interface RegistryAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** To be read once or destroyed. */
  readonly body: Readable;
}

/** Sends requests to foreign registries, logged in as they ask for it. Rejects as {@link Egress.fetch} does. */
export type AskRegistry = (request: RegistryRequest) => Promise<RegistryAnswer>;

/** What to send as `Authorization`, and until when it is good, in milliseconds since the epoch. */
interface Login {
  readonly authorization: string | undefined;
  readonly goodUntil: number;
}

const maxBytes = 8 * 1024 * 1024;
const maxTokens = 10_000;

function basicOf({ userName, password }: RegistryCredential): string {
  return `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`;
}

/** Logins that were good, by repository, and how registries asked for them. */
class Session {
  readonly #options: Required<SessionOptions>;
  readonly #logins = new LRUCache<string, Login>({ max: maxTokens });
  readonly #challenges = new LRUCache<string, Challenge>({ max: 1000 });

  constructor(options: SessionOptions) {
    this.#options = { timeoutMs: 15_000, ...options };
  }

  async ask(request: RegistryRequest): Promise<RegistryAnswer> {
    const { registry, repository } = request.repository;
    const kept = this.#logins.get(`${registry}/${repository}`);
    const isGood = kept !== undefined && kept.goodUntil > this.#options.clock.now();
    const known = isGood ? undefined : this.#challenges.get(registry);
    if (known?.kind === 'bearer') return this.#askWithLogin(request, known);
    const answer = await this.#send(request, isGood ? kept.authorization : undefined);
    const challenge = answer.status === 401 ? readChallenge(answer.headers['www-authenticate']) : undefined;
    if (challenge === undefined || isUnsafe(registry, challenge)) return answer;
    answer.body.destroy();
    this.#challenges.set(registry, challenge);
    return this.#askWithLogin(request, challenge);
  }

  /** With each credential in turn until one may, or without any: tokens are given to strangers too. */
  async #askWithLogin(request: RegistryRequest, challenge: Challenge): Promise<RegistryAnswer> {
    const credentials = await request.credentials();
    const tries = credentials.length > 0 ? credentials : [undefined];
    let last: RegistryAnswer | undefined;
    for (const credential of tries) {
      last?.body.destroy();
      last = await this.#askAs(request, challenge, credential);
      if (last.status !== 401 && last.status !== 403) return last;
    }
    this.#challenges.delete(request.repository.registry);
    return last ?? this.#send(request, undefined);
  }

  async #askAs(
    request: RegistryRequest,
    challenge: Challenge,
    credential: RegistryCredential | undefined,
  ): Promise<RegistryAnswer> {
    const { registry, repository } = request.repository;
    const login = await this.#logIn(repository, challenge, credential);
    if (!('authorization' in login)) return login;
    const answer = await this.#send(request, login.authorization);
    const isIn = answer.status !== 401 && answer.status !== 403;
    if (isIn) this.#logins.set(`${registry}/${repository}`, login);
    return answer;
  }

  /** What to send as `Authorization` and until when it is good, or what the server of tokens answered instead. */
  async #logIn(
    repository: string,
    challenge: Challenge,
    credential: RegistryCredential | undefined,
  ): Promise<Login | RegistryAnswer> {
    const now = this.#options.clock.now();
    const authorization = credential && basicOf(credential);
    if (challenge.kind === 'basic') return { authorization, goodUntil: now + 60 * 60_000 };
    const headers = { accept: 'application/json', ...(authorization !== undefined && { authorization }) };
    const answer = await this.#fetch(tokenUrlOf(challenge, repository), { headers });
    if (answer.status < 200 || answer.status >= 300) return answer.status === 404 ? { ...answer, status: 403 } : answer;
    return readToken(JSON.parse(await readText(answer.body)), now);
  }

  #send(
    { repository, path, method, headers }: RegistryRequest,
    authorization: string | undefined,
  ): Promise<RegistryAnswer> {
    const base = `${apiUrlOf(repository.registry)}/v2/${repository.repository}/`;
    const all = { ...headers, ...(authorization !== undefined && { authorization }) };
    return this.#fetch(new URL(path, base).href, { headers: all, ...(method === 'HEAD' && { method }) });
  }

  #fetch(url: string, request: { headers: Record<string, string>; method?: 'HEAD' }): Promise<RegistryAnswer> {
    const { egress, timeoutMs } = this.#options;
    return egress.fetch(url, { ...request, timeoutMs, maxBytes, field: 'image' });
  }
}

/** What a server of tokens gives out (Distribution, "Token Response Fields"); a little earlier than it says: the request takes its time. */
function readToken(document: unknown, nowMs: number): Login {
  const token = textOf(document, 'token') ?? textOf(document, 'access_token');
  const seconds = Number(memberOf(document, 'expires_in') ?? 60);
  return { authorization: token && `Bearer ${token}`, goodUntil: nowMs + (seconds || 60) * 900 };
}

/** A password does not go to a server of tokens in the clear, unless its registry is on this machine. */
function isUnsafe(registry: string, challenge: Challenge): boolean {
  return challenge.kind === 'bearer' && !challenge.realm.startsWith('https:') && !isLoopback(registry);
}

/** Makes a client of foreign registries that keeps logins for as long as they are good. */
export function createRegistrySession(options: SessionOptions): AskRegistry {
  const session = new Session(options);
  return (request) => session.ask(request);
}
