/** What a path under `/v2/` means. Names and references are decoded, and not yet checked. */
export type Route =
  | { readonly kind: 'ping' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: string };

/**
 * Finds the route of a path that begins with `/v2`; undefined when it has none. Read from the end, because a
 * repository may itself be called `manifests` or `blobs/uploads`.
 */
export function findRoute(path: string): Route | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'ping' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const parts = path.slice('/v2/'.length).split('/');
  const last = decodePart(parts.pop() ?? '');
  const before = parts.pop();
  const name = decodePart(parts.join('/')); // some clients send `/` in names as `%2F`
  if (last === undefined || parts.length === 0 || name === undefined) return undefined;
  return findUploadRoute(name, before, last) ?? findShortRoute(before, last, name);
}

/** `…/blobs/uploads/` and `…/blobs/uploads/<id>`. */
function findUploadRoute(parent: string, before: string | undefined, last: string): Route | undefined {
  if (before !== 'uploads' || !parent.endsWith('/blobs')) return undefined;
  const name = parent.slice(0, -'/blobs'.length);
  return last === '' ? { kind: 'uploads', name } : { kind: 'upload', name, id: last };
}

function findShortRoute(before: string | undefined, last: string, name: string): Route | undefined {
  switch (before) {
    case 'manifests':
      return { kind: 'manifest', name, reference: last };
    case 'blobs':
      return last === 'uploads' ? { kind: 'uploads', name } : { kind: 'blob', name, digest: last };
    case 'referrers':
      return { kind: 'referrers', name, digest: last };
    case 'tags':
      return last === 'list' ? { kind: 'tags', name } : undefined;
    default:
      return undefined;
  }
}

/** Undoes percent-encoding (`sha256%3A…`); undefined when it is broken. */
function decodePart(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
