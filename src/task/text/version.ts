/** The versions of the language that exist; letters' case does not matter (acr-tasks.md §1.1). */
export const taskVersions = ['1.0-preview-1', 'v1.0.0', 'v1.1.0'] as const;

export const defaultVersion = 'v1.0.0';

const quotes = /^(?:"([^"]*)"|'([^']*)')/;

/**
 * The version by the rule that decides about aliases: the first line that begins, at column 0, with `version:`, its key perhaps in
 * quotes; the value's quotes are removed. This is a look at lines, before anything is parsed.
 */
export function findVersion(text: string): string | undefined {
  const found = /^(?:version|"version"|'version')[ \t]*:(.*)$/m.exec(text);
  if (found === null) return undefined;
  const value = (found[1] ?? '').trim();
  const quoted = quotes.exec(value);
  return quoted === null ? value : (quoted[1] ?? quoted[2]);
}

/** True when a version as {@link findVersion} found it turns aliases on: compared as text, so that `V1.1.0` does not. */
export function hasAliases(version: string | undefined): boolean {
  return version !== undefined && version >= 'v1.1.0';
}

/** True for a version that exists. */
export function isTaskVersion(version: string): boolean {
  return (taskVersions as readonly string[]).includes(version.toLowerCase());
}
