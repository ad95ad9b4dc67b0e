import type { Clock } from '../../domain/clock.ts';
import { oci } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Audit } from './audit.ts';
import type { TokenMint } from './jwt.ts';
import type { Principal, PrincipalSource, Subject } from './principal.ts';
import { createLoginThrottle, type Attempt } from './throttle.ts';

/** The user name that says: the password is a refresh token. */
export const refreshTokenUser = '00000000-0000-0000-0000-000000000000';

/** Somebody who has proved who they are. */
export interface Login {
  readonly subject: Subject;
  readonly principal: Principal;
  /** When that ends whatever happens, milliseconds; absent for passwords. */
  readonly until?: number;
}

/** Finds out who somebody is. */
export interface Logins {
  /**
   * Whose name and password these are; undefined when they are wrong.
   * @throws `TOOMANYREQUESTS` for those who have to wait.
   */
  login(exchange: Exchange, username: string, password: string): Promise<Login | undefined>;
  /** Whom a refresh token was issued to, while their credential is good. */
  refresh(token: string): Promise<Login | undefined>;
  /** Who a subject is now; undefined once its credential is no longer good. */
  find(subject: Subject): Promise<Principal | undefined>;
}

interface LoginOptions {
  readonly sources: readonly PrincipalSource[];
  readonly mint: TokenMint;
  readonly clock: Clock;
  readonly audit: Audit;
  /** Where a request comes from. */
  readonly addressOf: (exchange: Exchange) => string;
}

function tooMany(waitMs: number): Error {
  const seconds = Math.ceil(waitMs / 1000);
  return oci('TOOMANYREQUESTS', `too many failed logins; try again in ${String(seconds)} s`, {
    headers: { 'retry-after': String(seconds) },
  });
}

/** Looks credentials up, without regard to who tries how often. */
function createFinder({ sources, mint }: LoginOptions) {
  const byKind = new Map(sources.map((source) => [source.kind, source]));
  const find: Logins['find'] = async (subject) => byKind.get(subject.kind)?.find(subject);
  const refresh: Logins['refresh'] = async (token) => {
    const claims = await mint.read('refresh_token', token);
    const principal = claims && (await find(claims.subject));
    return principal && { subject: claims.subject, principal, until: claims.expires };
  };
  const check = async (username: string, password: string): Promise<Login | undefined> => {
    if (username === refreshTokenUser) return refresh(password);
    for (const source of sources) {
      const subject = await source.login(username, password);
      const principal = subject && (await source.find(subject));
      if (principal) return { subject, principal };
    }
    return undefined;
  };
  return { find, refresh, check };
}

/** Makes the one way in: each source is asked in turn, and those who fail again and again are slowed down. */
export function createLogins(options: LoginOptions): Logins {
  const { sources, clock, audit, addressOf } = options;
  const { find, refresh, check } = createFinder(options);
  const throttle = createLoginThrottle(clock);
  const isSigned = (username: string): boolean =>
    username === refreshTokenUser || sources.some((source) => source.isSigned?.(username));

  const login = async (attempt: Attempt, password: string): Promise<Login | undefined> => {
    if (isSigned(attempt.username)) return check(attempt.username, password);
    const waitMs = throttle.waitMs(attempt);
    if (waitMs > 0) throw tooMany(waitMs);
    const found = await check(attempt.username, password);
    if (found) throttle.succeeded(attempt);
    else throttle.failed(attempt);
    return found;
  };

  return {
    find,
    refresh,
    login: async (exchange, username, password) => {
      const address = addressOf(exchange);
      const found = await login({ username, address }, password);
      const time = new Date(clock.now()).toISOString();
      if (!found) audit({ time, who: username.slice(0, 256), address, action: 'login', result: 'refused' });
      return found;
    },
  };
}
