/** How a registry wants to be asked: with a password, or with a token that another server gives out for it. */
export type Challenge =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: string; readonly service: string | undefined };

/**
 * Reads `WWW-Authenticate` (Distribution, "Token Authentication"; RFC 9110 §11.6.1): a token is taken where one is offered. Undefined for
 * anything else.
 */
export function readChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const text = typeof header === 'string' ? header : (header?.join(', ') ?? '');
  const [, bearer] = /(?:^|[\s,])Bearer +(.*)$/is.exec(text) ?? [];
  if (bearer === undefined) return /(?:^|[\s,])Basic\b/i.test(text) ? { kind: 'basic' } : undefined;
  const values = new Map(
    [...bearer.matchAll(/([a-z_]+)="([^"]*)"/gi)].map(([, name, value]) => [name?.toLowerCase(), value]),
  );
  const realm = values.get('realm') ?? '';
  return URL.canParse(realm) ? { kind: 'bearer', realm, service: values.get('service') } : undefined;
}

/** Where the token for reading a repository is given out. */
export function tokenUrlOf({ realm, service }: Extract<Challenge, { kind: 'bearer' }>, repository: string): string {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', `repository:${repository}:pull`);
  return url.href;
}
