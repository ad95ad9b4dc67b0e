import { isRepositoryName } from '../../domain/image-reference.ts';
import type { Exchange } from '../exchange.ts';
import { scopeFor, type RegistryAction } from './actions.ts';
import { tokenPath } from './paths.ts';

/** What was asked for and refused. */
export interface Wanted {
  readonly repository: string;
  readonly action: RegistryAction;
}

/** Why a token was refused (RFC 6750, "error"). */
export type BearerError = 'invalid_token' | 'insufficient_scope';

/** A mount takes the right to pull from the repository that it mounts from. */
function sourceOf({ query }: Exchange, { action }: Wanted): string | undefined {
  const from = action === 'push' && query.has('mount') ? query.get('from') : null;
  return from !== null && isRepositoryName(from) ? from : undefined;
}

/** The scheme and host that a client used, as far as can be told behind a proxy that ends TLS. */
export function originOf({ req, origin }: Exchange, publicUrl: string | undefined): string {
  const host = origin.slice(origin.indexOf('://') + 3);
  if (publicUrl !== undefined && new URL(publicUrl).host === host.toLowerCase()) return new URL(publicUrl).origin;
  // Whoever lies about this misleads nobody but themselves.
  return req.headers['x-forwarded-proto'] === 'https' ? `https://${host}` : origin;
}

/**
 * The value of `WWW-Authenticate` that tells a client where to get a token and for what. No spaces after commas: clients of Azure's split
 * there.
 */
export function writeChallenge(
  exchange: Exchange,
  more: { publicUrl?: string | undefined; wanted?: Wanted | undefined; error?: BearerError | undefined },
): string {
  const { publicUrl, wanted, error } = more;
  const origin = originOf(exchange, publicUrl);
  const from = wanted && sourceOf(exchange, wanted);
  const scopes = wanted
    ? [scopeFor(wanted.repository, wanted.action), ...(from === undefined ? [] : [scopeFor(from, 'pull')])]
    : [];
  const parts = [
    `realm="${origin}${tokenPath}"`,
    `service="${origin.slice(origin.indexOf('://') + 3)}"`,
    ...(scopes.length > 0 ? [`scope="${scopes.join(' ')}"`] : []),
    ...(error === undefined ? [] : [`error="${error}"`]),
  ];
  return `Bearer ${parts.join(',')}`;
}
