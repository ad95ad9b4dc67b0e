import type { Digest } from '../domain/digest.ts';
import { FailureError } from '../domain/failure.ts';
import { parseImageReference, type RepositoryName } from '../domain/image-reference.ts';
import { assertFolder } from './git-names.ts';
import { splitUserinfo } from './location-secret.ts';

/** An artifact of a registry: a folder that was pushed there. */
export interface OciLocation {
  readonly kind: 'oci';
  /** Host of the registry with its port, in lower case. */
  readonly registry: string;
  readonly repository: RepositoryName;
  /** A tag or a digest, as the registry is asked for it. */
  readonly reference: string;
  /** The user name that goes with the token. */
  readonly user?: string;
  readonly token?: string;
  /** Folder inside the artifact, `a/b`; absent: its root. */
  readonly folder?: string;
}

const hostPattern = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::[0-9]{1,5})?$/;

type Refuse = (why: string) => Error;

function parseReference(path: string, bad: Refuse): { repository: RepositoryName; tag?: string; digest?: Digest } {
  if (path.length < 2) throw bad('it names no repository, as in oci://host/repository:tag');
  try {
    // With a host before it, a first part with a dot is not taken for one.
    return parseImageReference(`localhost${path}`);
  } catch (error) {
    throw error instanceof FailureError ? bad(error.failure.message.replace('localhost/', '')) : error;
  }
}

function parseFolder(fragment: string | undefined, bad: Refuse): { readonly folder?: string } {
  if (fragment === undefined) return {};
  if (!fragment.startsWith(':'))
    throw bad('a folder is named behind "#:"; a tag stands before it, as in oci://host/repository:tag#:folder');
  const folder = assertFolder(fragment.slice(1), bad);
  return folder === undefined ? {} : { folder };
}

function readUrl(base: string, bad: Refuse): URL {
  if (!URL.canParse(base)) throw bad('it is no complete URL');
  const url = new URL(base);
  if (url.search !== '') throw bad('it has a query');
  // What a URL makes of dots is another repository than the one that was written.
  if (base.replace(/^[a-z]+:\/\/[^/]*/i, '') !== url.pathname) throw bad('its repository is no plain name');
  return url;
}

/**
 * Parses `oci://[user:token@]host[:port]/repository[:tag|@digest][#:folder]`; the tag is `latest` where there is none.
 * @throws what `bad` makes of the reason why it is no such location.
 */
export function parseOciLocation(text: string, bad: Refuse): OciLocation {
  const hash = text.indexOf('#');
  const base = hash < 0 ? text : text.slice(0, hash);
  const url = readUrl(base, bad);
  const registry = url.host.toLowerCase();
  if (!hostPattern.test(registry)) throw bad('it names no registry, as in oci://host/repository:tag');
  const { repository, tag, digest } = parseReference(url.pathname, bad);
  const { user, token } = splitUserinfo(url);
  return {
    kind: 'oci',
    registry,
    repository,
    reference: digest ?? tag ?? 'latest',
    ...(user !== undefined && { user }),
    ...(token !== undefined && { token }),
    ...parseFolder(hash < 0 ? undefined : text.slice(hash + 1), bad),
  };
}
