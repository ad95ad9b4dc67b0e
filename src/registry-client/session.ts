import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/clock.ts';
import type { RegistryCredential } from '../domain/run-request.ts';
import { readChallenge, type Challenge } from './challenge.ts';
import { originOf } from './place.ts';
import type { Answer, AskRegistry, RegistryRequest, Rights, Sender } from './ports.ts';
import { sendAndFollow } from './redirects.ts';
import { discard } from './small-body.ts';
import { basicOf, fetchToken, type Login } from './token.ts';

export interface SessionOptions {
  readonly sender: Sender;
  readonly clock: Clock;
  /** Those that may be tried for a registry, in order; asked for when the registry wants one. None when left out. */
  readonly credentials?: (registry: string) => Promise<readonly RegistryCredential[]>;
  /** Where a registry's API is, without a slash at the end, when it is not where images say. */
  readonly originOf?: (registry: string) => string;
  /** How long a server of tokens may take, milliseconds; 15 s when left out. */
  readonly tokenTimeoutMs?: number;
}

const maxLogins = 10_000;
const basicLifeMs = 60 * 60_000;
const actionsOf: Readonly<Record<Rights, string>> = { pull: 'pull', push: 'pull,push', delete: 'delete' };

function scopesOf({ place, rights = 'pull', from }: RegistryRequest): readonly string[] {
  const own = `repository:${place.repository}:${actionsOf[rights]}`;
  return from === undefined || from === place.repository ? [own] : [own, `repository:${from}:pull`];
}

/** A password does not go to a server of tokens in the clear, unless its registry is reached that way too. */
function isUnsafe(origin: string, challenge: Challenge): boolean {
  return challenge.kind === 'bearer' && !challenge.realm.startsWith('https:') && !origin.startsWith('http:');
}

function isNo({ status }: Answer): boolean {
  return status === 401 || status === 403;
}

function sendAs(
  sender: Sender,
  origin: string,
  { place, path, method, headers, body, signal, timeoutMs }: RegistryRequest,
  authorization: string | undefined,
): Promise<Answer> {
  const url = new URL(path, `${origin}/v2/${place.repository}/`);
  // An upload may go on at another host, which is not who the password is for.
  const isThere = url.origin === new URL(origin).origin && authorization !== undefined;
  const all = { ...headers, ...(isThere && { authorization }) };
  return sendAndFollow(sender, { url: url.href, method, headers: all, body, signal, timeoutMs });
}

/** Logins that were good, by what they are good for, and how registries asked for them. */
class Session {
  readonly #options: SessionOptions;
  readonly #logins = new LRUCache<string, Login>({ max: maxLogins });
  readonly #challenges = new LRUCache<string, Challenge>({ max: 1000 });

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  async ask(request: RegistryRequest): Promise<Answer> {
    const { registry } = request.place;
    const kept = this.#keptFor(request);
    const known = kept === undefined ? this.#challenges.get(registry) : undefined;
    if (known?.kind === 'bearer') return this.#askWithLogin(request, known);
    const answer = await this.#send(request, kept?.authorization);
    const challenge = answer.status === 401 ? readChallenge(answer.headers['www-authenticate']) : undefined;
    if (challenge === undefined || isUnsafe(this.#originOf(registry), challenge)) return answer;
    discard(answer);
    this.#remember(registry, challenge);
    return this.#askWithLogin(request, challenge);
  }

  /** How a registry asks does not change with what it is asked for; the scope does. */
  #remember(registry: string, challenge: Challenge): void {
    const { kind } = challenge;
    if (kind === 'basic') this.#challenges.set(registry, challenge);
    else this.#challenges.set(registry, { kind, realm: challenge.realm, service: challenge.service });
  }

  #keyOf(request: RegistryRequest): string {
    return `${request.place.registry} ${scopesOf(request).join(' ')}`;
  }

  #keptFor(request: RegistryRequest): Login | undefined {
    // Who may push may pull.
    const wider: readonly RegistryRequest[] =
      (request.rights ?? 'pull') === 'pull' ? [{ ...request, rights: 'push' }] : [];
    for (const one of [request, ...wider]) {
      const kept = this.#logins.get(this.#keyOf(one));
      if (kept !== undefined && kept.goodUntil > this.#options.clock.now()) return kept;
    }
    return undefined;
  }

  async #credentialsFor({ place, credentials }: RegistryRequest): Promise<readonly RegistryCredential[]> {
    return credentials === undefined ? ((await this.#options.credentials?.(place.registry)) ?? []) : credentials();
  }

  /** With each credential in turn until one may, or without any: tokens are given to strangers too. */
  async #askWithLogin(request: RegistryRequest, challenge: Challenge): Promise<Answer> {
    const credentials = await this.#credentialsFor(request);
    const tries = credentials.length > 0 ? credentials : [undefined];
    let last: Answer | undefined;
    for (const credential of tries) {
      if (last !== undefined) discard(last);
      last = await this.#askAs(request, challenge, credential);
      if (!isNo(last)) return last;
    }
    this.#challenges.delete(request.place.registry);
    return last ?? this.#send(request, undefined);
  }

  async #askAs(
    request: RegistryRequest,
    challenge: Challenge,
    credential: RegistryCredential | undefined,
  ): Promise<Answer> {
    const login = await this.#logIn(request, challenge, credential);
    if (!('authorization' in login)) return login;
    const answer = await this.#send(request, login.authorization);
    if (!isNo(answer)) this.#logins.set(this.#keyOf(request), login);
    return answer;
  }

  /** What to send as `Authorization` and until when it is good, or what the server of tokens answered instead. */
  async #logIn(
    request: RegistryRequest,
    challenge: Challenge,
    credential: RegistryCredential | undefined,
  ): Promise<Login | Answer> {
    const { clock, sender, tokenTimeoutMs = 15_000 } = this.#options;
    if (challenge.kind === 'basic')
      return { authorization: credential && basicOf(credential), goodUntil: clock.now() + basicLifeMs };
    const scopes = challenge.scope === undefined ? scopesOf(request) : challenge.scope.split(' ');
    const wish = { challenge, scopes, credential, signal: request.signal, timeoutMs: tokenTimeoutMs };
    const answer = await fetchToken(sender, wish, clock.now());
    return 'status' in answer && answer.status === 404 ? { ...answer, status: 403 } : answer;
  }

  #originOf(registry: string): string {
    return (this.#options.originOf ?? originOf)(registry);
  }

  #send(request: RegistryRequest, authorization?: string): Promise<Answer> {
    return sendAs(this.#options.sender, this.#originOf(request.place.registry), request, authorization);
  }
}

/** Makes a client that keeps logins for as long as they are good. All who use one may use what its credentials open. */
export function createRegistrySession(options: SessionOptions): AskRegistry {
  const session = new Session(options);
  return (request) => session.ask(request);
}

/** Where our own registry is, and who asks it: it takes a name and password with every request. */
export interface OwnLogin {
  readonly origin: string;
  readonly credential: RegistryCredential | undefined;
  readonly sender: Sender;
}

/** Makes a client of our own registry, which is sent the password unasked. */
export function createOwnSession({ origin, credential, sender }: OwnLogin): AskRegistry {
  const authorization = credential && basicOf(credential);
  return (request) => sendAs(sender, origin, request, authorization);
}
