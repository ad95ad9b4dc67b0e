/** How a registry wants to be asked: with a password, or with a token that another server gives out for it. */
export type Challenge =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'bearer';
      readonly realm: string;
      readonly service: string | undefined;
      /** What the registry says that the token has to be good for; several are parted by spaces. */
      readonly scope?: string;
    };

export type BearerChallenge = Extract<Challenge, { kind: 'bearer' }>;

function parametersOf(text: string): ReadonlyMap<string, string> {
  const all = [...text.matchAll(/([a-z_]+)=(?:"([^"]*)"|([^\s",]+))/gi)];
  return new Map(all.map(([, name = '', quoted, bare = '']) => [name.toLowerCase(), quoted ?? bare]));
}

/**
 * Reads `WWW-Authenticate` (Distribution, "Token Authentication"; RFC 9110 §11.6.1): a token is taken where one is offered. Undefined for
 * anything else.
 */
export function readChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const text = [header ?? ''].flat().join(', ');
  const [, bearer] = /(?:^|[\s,])Bearer +(.*)$/is.exec(text) ?? [];
  if (bearer === undefined) return /(?:^|[\s,])Basic\b/i.test(text) ? { kind: 'basic' } : undefined;
  const values = parametersOf(bearer);
  const [realm = '', service, scope] = ['realm', 'service', 'scope'].map((name) => values.get(name));
  return URL.canParse(realm) ? { kind: 'bearer', realm, service, ...(scope ? { scope } : {}) } : undefined;
}
