import { oci, type OciError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { BearerOptions, Principal, RegistryAction, RegistryOptions } from './options.ts';

/** Who asks, and what they may do. */
export interface Access {
  /** Finds out who asks and writes it into the exchange; throws UNAUTHORIZED for credentials that are wrong. */
  identify(exchange: Exchange): Promise<void>;
  /** Throws UNAUTHORIZED (anonymous) or DENIED (known, without the right). */
  demand(exchange: Exchange, repository: string, action: RegistryAction): void;
  /** The same question, without consequences. */
  allows(principal: Principal | undefined, repository: string, action: RegistryAction): boolean;
  /** Answers the ping: throws UNAUTHORIZED for the anonymous, so that clients learn how to log in. */
  demandLogin(exchange: Exchange): void;
}

/** How to check credentials, and the challenge to send when they are missing. */
export interface AccessOptions extends Pick<RegistryOptions, 'authenticate' | 'anonymousPull'> {
  /** Undefined: Basic authentication alone. */
  readonly bearer?: BearerOptions;
}

const basicChallenge = 'Basic realm="Slipway"';

/** The name and password of an `Authorization: Basic` value; undefined when it is none. */
export function parseBasic(header: string): { username: string; password: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

export function createAccess(options: AccessOptions): Access {
  const unauthorized = (exchange: Exchange, message: string, detail?: Detail): OciError => {
    const challenge = options.bearer?.challenge({
      ...(detail !== undefined && { repository: detail.Name }),
      actions: detail === undefined ? [] : [detail.Action],
      origin: exchange.origin,
    });
    const headers = { 'www-authenticate': challenge ?? basicChallenge };
    return oci('UNAUTHORIZED', message, { headers, ...(detail && { detail: [detail] }) });
  };

  const find = async (header: string): Promise<Principal | 'anonymous' | undefined> => {
    const [, token] = /^Bearer +(\S+)$/i.exec(header) ?? [];
    if (token !== undefined) return options.bearer?.authenticate(token);
    const basic = parseBasic(header);
    if (basic === undefined) return undefined;
    // What skopeo and podman send when they have no credentials for a registry that asks for Basic.
    if (basic.username === '' && basic.password === '') return 'anonymous';
    return options.authenticate(basic.username, basic.password);
  };

  const allows: Access['allows'] = (principal, repository, action) =>
    (action === 'pull' && options.anonymousPull) || principal?.may(repository, action) === true;

  return {
    allows,
    identify: async (exchange) => {
      const header = exchange.req.headers.authorization;
      if (header === undefined) return;
      const found = await find(header);
      if (found === undefined) throw unauthorized(exchange, 'the credentials are wrong or no longer good');
      if (found !== 'anonymous') exchange.principal = found;
    },
    demand: (exchange, repository, action) => {
      if (allows(exchange.principal, repository, action)) return;
      const type = action === 'catalog' ? 'registry' : 'repository';
      const detail = { Type: type, Name: repository, Action: action } as const;
      if (exchange.principal === undefined) throw unauthorized(exchange, 'authentication required', detail);
      throw oci('DENIED', `${exchange.principal.name} may not ${action} ${repository}`, { detail: [detail] });
    },
    demandLogin: (exchange) => {
      if (exchange.principal !== undefined || exchange.req.headers.authorization !== undefined) return;
      throw unauthorized(exchange, 'authentication required');
    },
  };
}

interface Detail {
  readonly Type: 'registry' | 'repository';
  readonly Name: string;
  readonly Action: RegistryAction;
}
