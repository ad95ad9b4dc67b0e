import { oci, type OciError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { RegistryAction } from './actions.ts';
import { writeChallenge, type BearerError, type Wanted } from './challenge.ts';
import type { TokenMint } from './jwt.ts';
import type { Logins } from './logins.ts';
import type { Principal } from './principal.ts';
import { covers, type Grant } from './scope.ts';

/** Who asks, and what they may do. */
export interface Access {
  /**
   * Finds out who asks and writes it into the exchange; throws UNAUTHORIZED for a name and password that are wrong. A token that is not
   * good is refused by {@link demand}, which can say what to fetch the next one for.
   */
  identify(exchange: Exchange): Promise<void>;
  /**
   * Throws UNAUTHORIZED for the anonymous and for a token that was not fetched for this, with a challenge that says what to ask for;
   * DENIED for those who have not the right.
   */
  demand(exchange: Exchange, repository: string, action: RegistryAction): void;
  /** The same question, without consequences. */
  allows(principal: Principal | undefined, repository: string, action: RegistryAction): boolean;
  /** Answers the ping: throws UNAUTHORIZED for the anonymous, so that clients learn how to log in. */
  demandLogin(exchange: Exchange): void;
}

/** What access is decided from. */
export interface AccessParts {
  readonly logins: Logins;
  readonly mint: TokenMint;
  /** What those may do who give no credentials. */
  readonly anonymousMay: Principal['may'];
  /** False: they may do nothing at all, and need not be given a token. */
  readonly hasAnonymous: () => boolean;
  /** How clients reach this registry; undefined: as their requests say. */
  readonly publicUrl?: string | undefined;
}

/** Who came with a token: may do what the token was fetched for, as far as its holder still may. */
interface TokenPrincipal extends Principal {
  readonly holder: Principal;
}

/** Stands for nobody in subjects. */
export const anonymousSubject = { kind: 'anonymous', name: '', credential: '' } as const;

/** The name and password of an `Authorization: Basic` value; undefined when it is none. */
export function parseBasic(header: string): { username: string; password: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** What a token must have been fetched for: no client asks for the right to see what is in quarantine, when it asks to pull. */
function asked(action: RegistryAction): RegistryAction {
  return action === 'quarantine-read' ? 'pull' : action;
}

function restrict(holder: Principal, grants: readonly Grant[]): TokenPrincipal {
  const { name, keepsSame } = holder;
  return {
    name,
    ...(keepsSame !== undefined && { keepsSame }),
    holder,
    may: (repository, action) => covers(grants, repository, asked(action)) && holder.may(repository, action),
  };
}

/** Whoever stands behind one that came with a token; undefined for all others. */
export function holderOf(principal: Principal | undefined): Principal | undefined {
  return principal && 'holder' in principal ? (principal as TokenPrincipal).holder : undefined;
}

/** Finds out who came: somebody, nobody in particular, or (undefined) one whose credential is not good. */
function createIdentifier({ logins, mint }: AccessParts) {
  type Found = Promise<Principal | 'anonymous' | undefined>;
  const findBearer = async (token: string): Found => {
    const claims = await mint.read('access_token', token);
    if (claims === undefined) return undefined;
    if (claims.subject.kind === anonymousSubject.kind) return 'anonymous';
    const holder = await logins.find(claims.subject);
    return holder && restrict(holder, claims.grants);
  };
  const findBasic = async (exchange: Exchange, header: string): Found => {
    const basic = parseBasic(header);
    if (basic === undefined) return undefined;
    // What skopeo and podman send when they have no credentials.
    if (basic.username === '' && basic.password === '') return 'anonymous';
    return (await logins.login(exchange, basic.username, basic.password))?.principal;
  };
  return { findBearer, findBasic };
}

/** Makes the door of the registry: Basic credentials and our own tokens are taken, and Bearer is what is asked for. */
export function createAccess(parts: AccessParts): Access {
  const { anonymousMay, hasAnonymous, publicUrl } = parts;
  const { findBearer, findBasic } = createIdentifier(parts);
  const withBadToken = new WeakSet<Exchange>();

  const unauthorized = (exchange: Exchange, message: string, more: Refusal = {}): OciError => {
    const headers = { 'www-authenticate': writeChallenge(exchange, { publicUrl, ...more }) };
    return oci('UNAUTHORIZED', message, { headers, ...(more.wanted && { detail: [describe(more.wanted)] }) });
  };
  const refuseBadToken = (exchange: Exchange, wanted?: Wanted): void => {
    if (!withBadToken.has(exchange)) return;
    const error = 'invalid_token';
    throw unauthorized(exchange, 'the token is wrong or no longer good', { error, ...(wanted && { wanted }) });
  };
  const allows: Access['allows'] = (principal, repository, action) =>
    anonymousMay(repository, action) || principal?.may(repository, action) === true;

  return {
    allows,
    identify: async (exchange) => {
      const header = exchange.req.headers.authorization;
      if (header === undefined) return;
      const [, token] = /^Bearer +(\S+)$/i.exec(header) ?? [];
      const found = await (token === undefined ? findBasic(exchange, header) : findBearer(token));
      if (found === undefined && token !== undefined) withBadToken.add(exchange);
      else if (found === undefined) throw unauthorized(exchange, 'the credentials are wrong or no longer good');
      else if (found !== 'anonymous') exchange.principal = found;
    },
    demand: (exchange, repository, action) => {
      const wanted = { repository, action };
      refuseBadToken(exchange, wanted);
      if (allows(exchange.principal, repository, action)) return;
      throw refuse(exchange, wanted, unauthorized);
    },
    demandLogin: (exchange) => {
      refuseBadToken(exchange);
      if (exchange.principal !== undefined) return;
      if (hasAnonymous() && exchange.req.headers.authorization !== undefined) return;
      throw unauthorized(exchange, 'authentication required');
    },
  };
}

/** What is said about a refusal in its challenge. */
interface Refusal {
  readonly wanted?: Wanted;
  readonly error?: BearerError;
}

/** Why somebody may not do what they want: they did not say who they are, their token is for other things, or they have not the right. */
function refuse(
  exchange: Exchange,
  wanted: Wanted,
  unauthorized: (exchange: Exchange, message: string, more: Refusal) => OciError,
): OciError {
  const { repository, action } = wanted;
  const { principal } = exchange;
  if (principal === undefined) return unauthorized(exchange, 'authentication required', { wanted });
  if (holderOf(principal)?.may(repository, action) === true)
    return unauthorized(exchange, 'the token was not fetched for this', { wanted, error: 'insufficient_scope' });
  return oci('DENIED', `${principal.name} may not ${action} ${repository}`, { detail: [describe(wanted)] });
}

function describe({ repository, action }: Wanted): object {
  const type = action === 'catalog' || action === 'manage' ? 'registry' : 'repository';
  return { Type: type, Name: repository, Action: action };
}
