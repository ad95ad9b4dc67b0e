/** A member of a document that nobody has checked yet, by its path; undefined where there is none. */
export function memberOf(document: unknown, ...path: readonly string[]): unknown {
  let value = document;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** The same for a text; undefined for an empty one and for anything that is no text. */
export function textOf(document: unknown, ...path: readonly string[]): string | undefined {
  const value = memberOf(document, ...path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The same for a list; empty for anything else. */
export function listOf(document: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = memberOf(document, ...path);
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
