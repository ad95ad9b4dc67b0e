import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/clock.ts';
import { parseBasic } from './access.ts';
import { oci } from './errors.ts';
import { sendJson, type Exchange } from './exchange.ts';
import type { BearerOptions, Principal, RegistryOptions } from './options.ts';

/** Long enough for the push of a large image, which must not lose its rights in the middle. */
const lifetimeSeconds = 60 * 60;
const tokensKept = 20_000;

/** Where clients fetch tokens, on the registry's own host. */
export const tokenPath = '/oauth2/token';

/**
 * The token service that lets one client pull without credentials and push with them: docker decides by the first
 * challenge that it sees, and a Basic one makes it refuse to go on without a login (Docker registry token
 * authentication). A token stands for whoever fetched it, in this process only; clients fetch another when it is gone.
 */
export interface TokenService extends BearerOptions {
  /** Serves GET of {@link tokenPath}. */
  issue(exchange: Exchange): Promise<void>;
}

export function createTokenService(options: Pick<RegistryOptions, 'authenticate'> & { clock: Clock }): TokenService {
  const holders = new LRUCache<string, { principal: Principal | 'anonymous'; expires: number }>({ max: tokensKept });

  return {
    challenge: ({ origin, repository, actions }) => {
      const type = repository === '*' ? 'registry:catalog:*' : `repository:${repository ?? ''}:${scopeOf(actions)}`;
      const scope = repository === undefined ? '' : `,scope="${type}"`;
      return `Bearer realm="${origin}${tokenPath}",service="Slipway"${scope}`;
    },
    authenticate: (token) => {
      const found = holders.get(token);
      return Promise.resolve(found !== undefined && options.clock.now() < found.expires ? found.principal : undefined);
    },
    issue: async (exchange) => {
      const header = exchange.req.headers.authorization;
      const principal = header === undefined ? 'anonymous' : await login(options, header);
      if (principal === undefined) {
        const headers = { 'www-authenticate': 'Basic realm="Slipway"' };
        throw oci('UNAUTHORIZED', 'the credentials are wrong or no longer good', { headers });
      }
      const token = randomBytes(32).toString('base64url');
      const now = options.clock.now();
      holders.set(token, { principal, expires: now + lifetimeSeconds * 1000 });
      const issued = new Date(now).toISOString();
      sendJson(
        exchange,
        { token, access_token: token, expires_in: lifetimeSeconds, issued_at: issued },
        { headers: { 'cache-control': 'no-store' } },
      );
    },
  };
}

async function login(
  options: Pick<RegistryOptions, 'authenticate'>,
  header: string,
): Promise<Principal | 'anonymous' | undefined> {
  const basic = parseBasic(header);
  if (basic === undefined) return undefined;
  if (basic.username === '' && basic.password === '') return 'anonymous';
  return options.authenticate(basic.username, basic.password);
}

/** The actions of a scope as clients know them: who pushes also pulls. */
function scopeOf(actions: readonly string[]): string {
  return actions.includes('push') ? 'pull,push' : actions.join(',');
}
