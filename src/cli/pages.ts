interface Page {
  readonly value?: readonly unknown[];
  readonly nextLink?: string;
}

/** What a list holds. */
export function valuesOf(document: unknown): readonly unknown[] {
  const { value } = (document ?? {}) as Page;
  return Array.isArray(value) ? value : [];
}

/** What the next page begins behind. The link's host is the server's own idea of its address, which need not be good from here. */
function skipTokenOf(document: unknown): string | undefined {
  const { nextLink } = (document ?? {}) as Page;
  if (nextLink === undefined) return undefined;
  return new URL(nextLink, 'http://x').searchParams.get('$skiptoken') ?? undefined;
}

/** Reads a list to its end, page after page, with `get`. */
export async function readPages(
  get: (path: string) => Promise<unknown>,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for (let token: string | undefined = ''; token !== undefined;) {
    const words = new URLSearchParams({ ...query, ...(token !== '' && { $skiptoken: token }) }).toString();
    const page: unknown = await get(words === '' ? path : `${path}?${words}`);
    for (const one of valuesOf(page)) all.push(one);
    token = skipTokenOf(page);
  }
  return all;
}
