import type { Clock } from '../../domain/clock.ts';
import { oci } from '../errors.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { anonymousSubject, parseBasic, type AccessParts } from './access.ts';
import { originOf } from './challenge.ts';
import { readForm } from './form.ts';
import { accessSeconds, refreshSeconds } from './jwt.ts';
import type { Login } from './logins.ts';
import { exchangePath, tokenPath } from './paths.ts';
import type { Subject } from './principal.ts';
import { intersect, parseScopes, type Scope } from './scope.ts';

/**
 * The token service of a registry: `GET` and `POST /oauth2/token`, `POST /oauth2/exchange` (Docker registry token authentication, its
 * OAuth 2 variant, and what Azure's clients do).
 */
export interface TokenService {
  /** True for paths that {@link serve} answers. */
  owns(path: string): boolean;
  serve(exchange: Exchange): Promise<void>;
}

export interface TokenServiceOptions extends AccessParts {
  readonly clock: Clock;
  /** Whose access token of the API this is, where the API has such; the registry's own credentials are known without it. */
  readonly findApiToken?: ((token: string) => Promise<Subject | undefined>) | undefined;
}

/** Who is to have a token: somebody, or nobody in particular. */
type Holder = Login | 'anonymous';

function wrongCredentials(message = 'the credentials are wrong or no longer good'): Error {
  return oci('UNAUTHORIZED', message, { headers: { 'www-authenticate': 'Basic realm="Slipway"' } });
}

function badRequest(message: string): Error {
  return oci('UNSUPPORTED', message, { status: 400 });
}

function readScopes(parameters: readonly string[]): readonly Scope[] {
  const scopes = parseScopes(parameters);
  if (scopes === undefined) throw badRequest('too many scopes are asked for at once');
  return scopes;
}

function need(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value === null || value === '') throw badRequest(`${name} is missing`);
  return value;
}

class Service implements TokenService {
  readonly #options: TokenServiceOptions;

  constructor(options: TokenServiceOptions) {
    this.#options = options;
  }

  owns(path: string): boolean {
    return path === tokenPath || path === exchangePath;
  }

  async serve(exchange: Exchange): Promise<void> {
    const { method, path } = exchange;
    if (path === exchangePath && method === 'POST') return this.#exchange(exchange);
    if (path === tokenPath && method === 'POST') return this.#post(exchange);
    if (path === tokenPath && method === 'GET') return this.#get(exchange);
    const allow = path === exchangePath ? 'POST' : 'GET, POST';
    throw oci('UNSUPPORTED', `${method} is not offered here`, { headers: { allow } });
  }

  async #get(exchange: Exchange): Promise<void> {
    const header = exchange.req.headers.authorization;
    const basic = header === undefined ? undefined : parseBasic(header);
    if (header !== undefined && basic === undefined) throw wrongCredentials();
    const isNobody = basic === undefined || (basic.username === '' && basic.password === '');
    const holder = isNobody ? 'anonymous' : await this.#login(exchange, basic.username, basic.password);
    const scopes = readScopes(exchange.query.getAll('scope'));
    await this.#sendAccess(exchange, { holder, scopes, service: exchange.query.get('service') });
  }

  async #post(exchange: Exchange): Promise<void> {
    const form = await readForm(exchange);
    const holder = await this.#readGrant(exchange, form);
    const scopes = readScopes(form.getAll('scope'));
    await this.#sendAccess(exchange, { holder, scopes, service: form.get('service') });
  }

  async #readGrant(exchange: Exchange, form: URLSearchParams): Promise<Holder> {
    switch (need(form, 'grant_type')) {
      case 'password':
        // Azure's clients that have no credentials ask with neither.
        if (form.has('service') && !form.has('username') && !form.get('password')) return 'anonymous';
        return this.#login(exchange, need(form, 'username'), form.get('password') ?? '');
      case 'refresh_token':
        return this.#refresh(need(form, 'refresh_token'));
      default:
        throw badRequest('grant_type must be password or refresh_token');
    }
  }

  async #login(exchange: Exchange, username: string, password: string): Promise<Login> {
    const login = await this.#options.logins.login(exchange, username, password);
    if (login === undefined) throw wrongCredentials();
    return login;
  }

  async #refresh(token: string): Promise<Login> {
    const login = await this.#options.logins.refresh(token);
    if (login === undefined) throw wrongCredentials();
    return login;
  }

  async #sendAccess(
    exchange: Exchange,
    { holder, scopes, service }: { holder: Holder; scopes: readonly Scope[]; service: string | null },
  ): Promise<void> {
    const { mint, anonymousMay, hasAnonymous, clock } = this.#options;
    if (holder === 'anonymous' && !hasAnonymous()) throw wrongCredentials('authentication required');
    const may: AccessParts['anonymousMay'] = (repository, action) =>
      anonymousMay(repository, action) || (holder !== 'anonymous' && holder.principal.may(repository, action));
    const grants = intersect({ may }, scopes);
    const subject = holder === 'anonymous' ? anonymousSubject : holder.subject;
    const audience = service ?? this.#hostOf(exchange);
    const token = await mint.issue('access_token', { subject, grants, audience });
    const issued = new Date(clock.now()).toISOString();
    this.#send(exchange, { token, access_token: token, expires_in: accessSeconds, issued_at: issued });
  }

  /** Changes a credential of the API, or a refresh token, for a refresh token. */
  async #exchange(exchange: Exchange): Promise<void> {
    const form = await readForm(exchange);
    const login = await this.#readExchange(exchange, form);
    const { subject, until } = login;
    const audience = form.get('service') ?? this.#hostOf(exchange);
    const issue = { subject, grants: [], audience, ...(until !== undefined && { until }) };
    const refreshToken = await this.#options.mint.issue('refresh_token', issue);
    this.#send(exchange, { refresh_token: refreshToken, expires_in: refreshSeconds });
  }

  async #readExchange(exchange: Exchange, form: URLSearchParams): Promise<Login> {
    const type = need(form, 'grant_type');
    if (type === 'password') return this.#login(exchange, need(form, 'username'), form.get('password') ?? '');
    if (type === 'refresh_token') return this.#refresh(need(form, 'refresh_token'));
    if (type !== 'access_token' && type !== 'access_token_refresh_token')
      throw badRequest('grant_type must be access_token, refresh_token or password');
    const token = need(form, 'access_token');
    const login = await this.#findByApiToken(exchange, token);
    if (login === undefined) throw wrongCredentials();
    return login;
  }

  /** An access token of the API, one of our refresh tokens, or `name:password` in base64 as in a Basic header. */
  async #findByApiToken(exchange: Exchange, token: string): Promise<Login | undefined> {
    const { logins, findApiToken } = this.#options;
    const subject = await findApiToken?.(token);
    const principal = subject && (await logins.find(subject));
    if (principal) return { subject, principal };
    const basic = parseBasic(`Basic ${token}`);
    return (await logins.refresh(token)) ?? (basic && logins.login(exchange, basic.username, basic.password));
  }

  #hostOf(exchange: Exchange): string {
    const origin = originOf(exchange, this.#options.publicUrl);
    return origin.slice(origin.indexOf('://') + 3);
  }

  #send(exchange: Exchange, document: object): void {
    sendJson(exchange, document, { headers: { 'cache-control': 'no-store' } });
  }
}

/** Makes the token service. */
export function createTokenService(options: TokenServiceOptions): TokenService {
  return new Service(options);
}
