import { fail } from '../domain/failure.ts';
import { parseOciLocation, type OciLocation } from './oci-location.ts';
import { assertFolder, assertGitRef } from './git-names.ts';
import { splitUserinfo } from './location-secret.ts';

/** An upload: the relative path that came with the upload URL. */
export interface UploadLocation {
  readonly kind: 'upload';
  readonly relativePath: string;
}

/** A git repository, perhaps at a ref and in a folder. `url` never holds a password or token. */
export interface GitLocation {
  readonly kind: 'git';
  readonly transport: 'https' | 'http' | 'ssh';
  /** What git is given: `https://host[:port]/path`, `ssh://user@host[:port]/path` or `user@host:path`. */
  readonly url: string;
  readonly host: string;
  readonly port?: number;
  /** The user name that goes with the token (https) or the login (ssh). */
  readonly user?: string;
  readonly token?: string;
  /** Branch, tag, commit or `pull/N/head`; absent: the repository's default branch. */
  readonly ref?: string;
  /** Folder inside the repository, `a/b`; absent: its root. */
  readonly folder?: string;
}

/** A tar or tar.gz behind a URL. */
export interface TarballLocation {
  readonly kind: 'tarball';
  readonly url: string;
  readonly user?: string;
  readonly token?: string;
}

export type SourceLocation = UploadLocation | GitLocation | TarballLocation | OciLocation;

const uploadPattern = /^source(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){1,4}$/;
const scpPattern = /^([A-Za-z0-9][A-Za-z0-9._-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)([^#]+)(?:#(.*))?$/;
const sshPathPattern = /^[A-Za-z0-9._~/+@-]+$/;

/**
 * Parses a source location: an upload's path, a git URL with `#ref:folder`, the URL of a tar archive, or an artifact of a registry
 * (`oci://host/repository:tag#:folder`; acr-tasks.md §1.6, "Context download").
 * @throws `invalid-request` with the given field and why it is none of them. The message never holds a token.
 */
export function parseSourceLocation(text: string, field = 'sourceLocation'): SourceLocation {
  const bad: Refuse = (why) => fail('invalid-request', `this source location cannot be used: ${why}`, { field, hint });
  assertPlainText(text, bad);
  if (uploadPattern.test(text) && !text.includes('..')) return { kind: 'upload', relativePath: text };
  const scp = scpPattern.exec(text);
  if (scp !== null) return parseScp(scp, bad);
  return parseUrl(/^github\.com\//i.test(text) ? `https://${text}` : text, bad);
}

function parseUrl(text: string, bad: Refuse): Exclude<SourceLocation, UploadLocation> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'http' || scheme === 'https') return parseWeb(text, bad);
  if (scheme === 'ssh') return parseSsh(text, bad);
  if (scheme === 'oci') return parseOciLocation(text, bad);
  if (scheme !== undefined) throw bad(`${scheme}:// is not among https, ssh, http and oci`);
  throw bad('it is neither an upload, nor a git URL, nor the URL of a tar archive; local paths are not read');
}

type Refuse = (why: string) => Error;

const hint =
  'use https://host/repository.git#ref:folder, git@host:repository.git, the URL of a tar archive, oci://registry/repository:tag, or upload the folder';

function assertPlainText(text: string, bad: Refuse): void {
  if (text === '') throw bad('it is empty');
  if (text.length > 2048) throw bad('it is longer than 2048 characters');
  if (/[\u0000-\u0020\u007f-\u009f\u2028\u2029]/.test(text)) throw bad('it holds a space or a control character');
  if (text.startsWith('-')) throw bad('it starts with "-" and would be an option');
  if (text.includes('\\')) throw bad('it holds a backslash');
}

function parseScp(match: RegExpExecArray, bad: Refuse): GitLocation {
  const [, user = '', host = '', path = '', fragment] = match;
  assertSshPath(path, bad);
  return { kind: 'git', transport: 'ssh', url: `${user}@${host}:${path}`, host, user, ...parseFragment(fragment, bad) };
}

function parseSsh(text: string, bad: Refuse): GitLocation {
  const { url, fragment } = openUrl(text, bad);
  if (url.password !== '') throw bad('a password in an ssh URL is never used; set up an SSH key for the worker');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(url.username === '' ? 'git' : url.username))
    throw bad('its user is no user');
  if (!/^(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-f:]+\])$/i.test(url.hostname)) throw bad('its host is no host');
  assertSshPath(url.pathname.slice(1), bad);
  const user = url.username === '' ? 'git' : url.username;
  return {
    kind: 'git',
    transport: 'ssh',
    url: `ssh://${user}@${url.host}${url.pathname}`,
    host: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    user,
    ...parseFragment(fragment, bad),
  };
}

function assertSshPath(path: string, bad: Refuse): void {
  if (!sshPathPattern.test(path) || path.startsWith('-') || path.split('/').includes('..')) {
    throw bad('its path holds characters that a repository path cannot have');
  }
}

function parseWeb(text: string, bad: Refuse): GitLocation | TarballLocation {
  const { url, fragment } = openUrl(text, bad);
  const transport = url.protocol === 'https:' ? 'https' : 'http';
  const { user, token } = splitUserinfo(url);
  if (token !== undefined && transport === 'http') throw bad('a token is never sent over http; use https');
  url.username = '';
  url.password = '';
  const login = { ...(user !== undefined && { user }), ...(token !== undefined && { token }) };
  if (!isGitUrl(url)) {
    if (fragment !== undefined) throw bad('#ref:folder goes with a git URL, which ends in .git');
    return { kind: 'tarball', url: url.href, ...login };
  }
  if (url.search !== '') throw bad('a git URL has no query');
  const port = url.port === '' ? {} : { port: Number(url.port) };
  return {
    kind: 'git',
    transport,
    url: url.href,
    host: url.hostname,
    ...port,
    ...login,
    ...parseFragment(fragment, bad),
  };
}

/** The URL without its fragment, and the fragment as it was written (URL would escape it). */
function openUrl(text: string, bad: Refuse): { url: URL; fragment: string | undefined } {
  const hash = text.indexOf('#');
  const base = hash < 0 ? text : text.slice(0, hash);
  const url = URL.canParse(base) && /^[a-z]+:\/\/[^/]/i.test(base) ? new URL(base) : undefined;
  if (url === undefined || url.hostname === '') throw bad('it is no complete URL');
  return { url, fragment: hash < 0 ? undefined : text.slice(hash + 1) };
}

/** `….git`, GitHub's `owner/repository`, Azure DevOps' `/_git/`; everything else is taken for an archive. */
function isGitUrl(url: URL): boolean {
  if (url.pathname.replace(/\/$/, '').endsWith('.git') || /\/_git\/[^/]+\/?$/.test(url.pathname)) return true;
  return /^(?:www\.)?github\.com$/.test(url.hostname) && /^\/[^/]+\/[^/]+\/?$/.test(url.pathname);
}

function parseFragment(fragment: string | undefined, bad: Refuse): { ref?: string; folder?: string } {
  if (fragment === undefined) return {};
  const colon = fragment.indexOf(':');
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  if (ref !== '') assertGitRef(ref, bad);
  const folder = colon < 0 ? undefined : assertFolder(fragment.slice(colon + 1), bad);
  return { ...(ref !== '' && { ref }), ...(folder !== undefined && { folder }) };
}
