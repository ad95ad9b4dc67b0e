import { fail } from '../domain/failure.ts';
import type { RegistryCredential } from '../domain/run-request.ts';
import type { BearerChallenge } from './challenge.ts';
import type { Answer, Sender, SentRequest } from './ports.ts';
import { sendAndFollow } from './redirects.ts';
import { discard, readSmall } from './small-body.ts';

/** What to send as `Authorization`, and until when it is good, in milliseconds since the epoch. */
export interface Login {
  readonly authorization: string | undefined;
  readonly goodUntil: number;
}

/** What is asked of a server of tokens. */
export interface TokenWish {
  readonly challenge: BearerChallenge;
  /** `repository:team/app:pull`, one for each repository. */
  readonly scopes: readonly string[];
  readonly credential: RegistryCredential | undefined;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeoutMs: number;
}

/** User names with which the password is a refresh token (Docker's credential stores; Azure Container Registry). */
const tokenUsers = new Set(['<token>', '00000000-0000-0000-0000-000000000000']);
const maxBytes = 1024 * 1024;

/** `Authorization` of a name and password (RFC 7617). */
export function basicOf({ userName, password }: RegistryCredential): string {
  return `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`;
}

/** Where a token is asked for by GET (Distribution, "Requesting a Token"). */
export function tokenUrlOf({ realm, service }: BearerChallenge, scopes: readonly string[]): string {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  return url.href;
}

function get({ challenge, scopes, credential, ...bounds }: TokenWish): SentRequest {
  const headers = { accept: 'application/json', ...(credential && { authorization: basicOf(credential) }) };
  return { url: tokenUrlOf(challenge, scopes), method: 'GET', headers, ...bounds };
}

/** The same by POST (Distribution, "Docker Registry v2 authentication using OAuth2"). */
function post(
  { challenge, scopes, signal, timeoutMs }: TokenWish,
  { userName, password }: RegistryCredential,
): SentRequest {
  const isToken = tokenUsers.has(userName);
  const form = new URLSearchParams({
    grant_type: isToken ? 'refresh_token' : 'password',
    ...(challenge.service !== undefined && { service: challenge.service }),
    client_id: 'slipway',
    scope: scopes.join(' '),
    ...(isToken ? { refresh_token: password } : { username: userName, password }),
  });
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
  return { url: challenge.realm, method: 'POST', headers, body: Buffer.from(form.toString()), signal, timeoutMs };
}

function send(sender: Sender, wish: TokenWish): Promise<Answer> {
  const { credential } = wish;
  const first = credential && tokenUsers.has(credential.userName) ? post(wish, credential) : get(wish);
  return sendAndFollow(sender, first);
}

/** Some servers know one way only. */
async function sendOtherwise(sender: Sender, wish: TokenWish, answer: Answer): Promise<Answer> {
  const { credential } = wish;
  if (credential === undefined || (answer.status !== 404 && answer.status !== 405)) return answer;
  discard(answer);
  return sendAndFollow(sender, tokenUsers.has(credential.userName) ? get(wish) : post(wish, credential));
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw fail('source-unavailable', 'the server of tokens sends what is no JSON', { cause });
  }
}

/** What a server of tokens gives out (Distribution, "Token Response Fields"); a little earlier than it says: the request takes its time. */
function readToken(text: string, nowMs: number): Login {
  const document = parse(text);
  const token = [document['token'], document['access_token']].find((one) => typeof one === 'string' && one !== '');
  const seconds = Number(document['expires_in'] ?? 60);
  const lifeMs = (seconds > 0 ? Math.min(seconds, 86_400) : 60) * 900;
  // A token becomes a header: what cannot be in one is none.
  const isFit = typeof token === 'string' && /^[\x20-\x7e]+$/.test(token);
  return { authorization: isFit ? `Bearer ${token}` : undefined, goodUntil: nowMs + lifeMs };
}

/**
 * Asks for a token. Resolves with what the server answered where that was none: a status to be told.
 * @throws like {@link Sender.send}.
 */
export async function fetchToken(sender: Sender, wish: TokenWish, nowMs: number): Promise<Login | Answer> {
  const answer = await sendOtherwise(sender, wish, await send(sender, wish));
  if (answer.status < 200 || answer.status >= 300) return answer;
  return readToken((await readSmall(answer.body, maxBytes, 'the token')).toString('utf8'), nowMs);
}
