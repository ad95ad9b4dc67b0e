import { fail } from './failure.ts';

/** Where a Redis is and how to get in, in the names that Redis clients for Node use. */
export interface RedisAddress {
  /** Path of a unix socket; then there is no `host` and `port`. */
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** Present when the connection is encrypted. */
  readonly tls?: { readonly servername: string };
}

const forms = 'redis://[user:password@]host[:port][/db], rediss://… or unix:///path/of/redis.sock[?db=n]';

function refuse(what: string): Error {
  return fail('invalid-request', `the Redis URL ${what}`, { field: 'REDIS_URL', hint: `it looks like ${forms}` });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('has a part that is no percent-encoded text');
  }
}

function parseDatabase(text: string | null): number {
  if (text === null || text === '') return 0;
  if (!/^\d{1,4}$/.test(text)) throw refuse('names a database that is no number');
  return Number(text);
}

function credentialsOf(url: URL): Pick<RedisAddress, 'username' | 'password'> {
  return {
    ...(url.username !== '' && { username: decode(url.username) }),
    ...(url.password !== '' && { password: decode(url.password) }),
  };
}

function parseNetwork(url: URL): RedisAddress {
  if (url.hostname === '') throw refuse('has no host');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const db = parseDatabase(url.searchParams.get('db') ?? url.pathname.replace(/^\//, ''));
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    db,
    ...credentialsOf(url),
    ...(url.protocol === 'rediss:' && { tls: { servername: host } }),
  };
}

/**
 * Parses `redis://…`, `rediss://…` and `unix:///path`. Pure: nothing is looked up.
 * @throws `invalid-request` (field REDIS_URL); the message never repeats the URL, which may hold a password.
 */
export function parseRedisUrl(text: string): RedisAddress {
  if (!URL.canParse(text)) throw refuse('is no URL');
  const url = new URL(text);
  switch (url.protocol) {
    case 'redis:':
    case 'rediss:':
      return parseNetwork(url);
    case 'unix:':
      if (url.pathname.length < 2 || url.hostname !== '') throw refuse('names no absolute socket path');
      return { path: decode(url.pathname), db: parseDatabase(url.searchParams.get('db')), ...credentialsOf(url) };
    default:
      throw refuse('has a scheme that is not redis, rediss or unix');
  }
}

/** True when only this machine can reach the address: a socket, or a loopback name. */
export function isLocalRedis(address: RedisAddress): boolean {
  const { host } = address;
  return host === undefined || host === 'localhost' || host === '::1' || /^127\./.test(host);
}
