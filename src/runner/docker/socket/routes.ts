import { wrong } from './refusal.ts';

/** Matches paths to what answers them: the allow list itself. */
export type Routes<T> = Readonly<Record<string, T>>;

/** A path that a table knows. */
export interface Match<T> {
  readonly found: T;
  /** What stands for `*` (one part of the path) and `**` (one or more), decoded. */
  readonly params: readonly string[];
}

/** The oldest API that does not read settings of a container when it is started. */
const firstApi = 24;

/**
 * Takes the version off a path.
 * @throws `invalid-request` for a version from before 1.24, or a path that is none.
 */
export function splitVersion(path: string): { readonly version: string; readonly rest: string } {
  if (!path.startsWith('/')) throw wrong('the path is none');
  const found = /^\/v(\d{1,3})\.(\d{1,3})(?=\/)/.exec(path);
  if (found === null) return { version: '', rest: path };
  if (found[1] === '1' && Number(found[2]) < firstApi) {
    throw wrong(
      `client version ${found[1]}.${found[2] ?? ''} is too old. Minimum supported API version is 1.${firstApi}`,
    );
  }
  return { version: found[0], rest: path.slice(found[0].length) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw wrong('the path is not encoded as it must be');
  }
}

function matchPattern(pattern: string, path: string): readonly string[] | undefined {
  const source = pattern.replaceAll('**', '\u0000').replaceAll('*', '([^/]+)').replaceAll('\u0000', '(.+)');
  const found = new RegExp(`^${source}$`).exec(path);
  return found?.slice(1).map(decode);
}

/**
 * Finds what answers a method and path in a table of `METHOD /path`; the first one that fits. Undefined: nothing does, and the call
 * is refused.
 */
export function findRoute<T>(routes: Routes<T>, method: string, path: string): Match<T> | undefined {
  for (const [route, found] of Object.entries(routes)) {
    const [wanted = '', pattern = ''] = route.split(' ');
    if (wanted !== method) continue;
    const params = matchPattern(pattern, path);
    if (params !== undefined) return { found, params };
  }
  return undefined;
}
