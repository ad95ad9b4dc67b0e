/** What a path below `/acr/v1/` means. Names and references are decoded, and not yet checked. */
export type AcrRoute =
  | { readonly kind: 'catalog' }
  | { readonly kind: 'repository'; readonly name: string }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'tag'; readonly name: string; readonly tag: string }
  | { readonly kind: 'manifests'; readonly name: string }
  | { readonly kind: 'manifest'; readonly name: string; readonly digest: string };

export const acrPrefix = '/acr/v1/';

/** Finds the route of a path that begins with {@link acrPrefix}; undefined when it has none. Clients send `/` in names as `%2F`, or not. */
export function findAcrRoute(path: string): AcrRoute | undefined {
  const parts = decode(path.slice(acrPrefix.length))?.split('/');
  if (parts === undefined) return undefined;
  if (parts.length === 1 && parts[0] === '_catalog') return { kind: 'catalog' };
  // No part of a repository's name begins with `_`.
  const mark = parts.findIndex((part) => part.startsWith('_'));
  if (mark < 0) return { kind: 'repository', name: parts.join('/') };
  const name = parts.slice(0, mark).join('/');
  const [list, reference, ...more] = parts.slice(mark);
  return name === '' || more.length > 0 ? undefined : findListRoute(name, list, reference);
}

function findListRoute(name: string, list: string | undefined, reference: string | undefined): AcrRoute | undefined {
  switch (list) {
    case '_tags':
      return reference === undefined ? { kind: 'tags', name } : { kind: 'tag', name, tag: reference };
    case '_manifests':
      return reference === undefined ? { kind: 'manifests', name } : { kind: 'manifest', name, digest: reference };
    default:
      return undefined;
  }
}

/** Undoes percent-encoding; undefined when it is broken. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
