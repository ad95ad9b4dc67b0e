/** What a path under `/v2/` means. Names and references are as sent: whoever uses them parses them. */
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
  if (last === undefined || parts.length === 0) return undefined;
  return findUploadRoute(parts, before, last) ?? findShortRoute(before, last, parts.join('/'));
}

/** `…/blobs/uploads/` and `…/blobs/uploads/<id>`. */
function findUploadRoute(parts: readonly string[], before: string | undefined, last: string): Route | undefined {
  if (before !== 'uploads' || parts.length < 2 || parts.at(-1) !== 'blobs') return undefined;
  const name = parts.slice(0, -1).join('/');
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
