/** The forges whose webhooks and APIs are understood, and `generic` for every other place that a repository lives in. */
export const gitProviderNames = ['github', 'gitlab', 'gitea', 'bitbucket', 'azure-devops', 'generic'] as const;

export type GitProviderName = (typeof gitProviderNames)[number];

/** Where a repository lives, in a form that can be compared. */
export interface RepositoryAddress {
  /** Lower case; the web host where a forge has another for ssh. */
  readonly host: string;
  /** A web port other than the scheme's own; `ssh` when the address is one of ssh, whose port says nothing of the web's. */
  readonly port?: number | 'ssh';
  /** `owner/name`, without slashes at its ends and without `.git`; its case as it was written. */
  readonly path: string;
}

const maxUrl = 2048;
const scpPattern = /^[^/@:\s]+@([^/:@\s]+):(?!\/\/)(.+)$/;
/** Other names of the same hosts: ssh through port 443, and `www`. */
const hostNames: Readonly<Record<string, string>> = {
  'www.github.com': 'github.com',
  'ssh.github.com': 'github.com',
  'altssh.bitbucket.org': 'bitbucket.org',
  'altssh.gitlab.com': 'gitlab.com',
  'ssh.dev.azure.com': 'dev.azure.com',
  'vs-ssh.visualstudio.com': 'dev.azure.com',
};

/**
 * Reads a clone URL (https, http, ssh, git, `git@host:path`, `github.com/owner/name`) whatever its credentials, port of ssh, `.git`, slashes
 * and `#branch:folder`. Azure DevOps' three forms come to one, `dev.azure.com` with `organisation/project/_git/name`. With forge
 * `bitbucket`, the ways in which Bitbucket Server writes a repository come to `project/name`. Undefined for what is no such address.
 */
export function normaliseRepository(url: string, forge?: GitProviderName): RepositoryAddress | undefined {
  const text = (url.length > maxUrl ? '' : url.trim()).replace(/[#?].*$/s, '');
  const found = readScp(text) ?? readUrl(/^[\w.-]+\.[a-z]+\//i.test(text) ? `https://${text}` : text);
  return found === undefined ? undefined : locate(found, splitPath(found.path), forge);
}

function locate(
  found: Parts,
  segments: readonly string[],
  forge: GitProviderName | undefined,
): RepositoryAddress | undefined {
  if (segments.length === 0 || segments.some((segment) => segment === '.' || segment === '..')) return undefined;
  const azure = readAzure(found.host, segments);
  return azure ?? toAddress(found, forge === 'bitbucket' ? dropServerPrefix(segments) : segments);
}

/** A port of one of the other hosts is that host's, not the web's. */
function toAddress({ host, port }: Parts, segments: readonly string[]): RepositoryAddress {
  const path = segments.join('/');
  const renamed = hostNames[host];
  if (renamed !== undefined) return { host: renamed, path };
  return port === undefined ? { host, path } : { host, port, path };
}

interface Parts {
  readonly host: string;
  readonly port: number | 'ssh' | undefined;
  readonly path: string;
}

function readScp(text: string): Parts | undefined {
  const match = scpPattern.exec(text);
  return match === null ? undefined : { host: toHost(match[1] ?? ''), port: 'ssh', path: match[2] ?? '' };
}

function readUrl(text: string): Parts | undefined {
  if (!/^(?:https?|ssh|git(?:\+ssh)?):\/\/[^/]/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  const port = isWeb ? (url.port === '' ? undefined : Number(url.port)) : 'ssh';
  const host = toHost(url.hostname);
  return host === '' ? undefined : { host, port, path: url.pathname };
}

function toHost(text: string): string {
  return text.toLowerCase().replace(/\.$/, '');
}

function splitPath(path: string): string[] {
  const segments = path.split('/').filter((segment) => segment !== '');
  const last = segments.at(-1);
  if (last !== undefined) segments[segments.length - 1] = last.replace(/(?<=.)\.git$/i, '');
  return segments.map(decode);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Azure DevOps' addresses (its docs: "Clone an existing Git repo"; the old host `<organisation>.visualstudio.com` still answers). */
function readAzure(host: string, segments: readonly string[]): RepositoryAddress | undefined {
  const names = azureNames(host, segments)?.filter((segment) => !/^_(?:git|full|optimized)$/i.test(segment));
  const [organisation, project, name = project] = names ?? [];
  if (organisation === undefined || project === undefined || name === undefined) return undefined;
  return { host: 'dev.azure.com', path: `${organisation}/${project}/_git/${name}` };
}

function azureNames(host: string, segments: readonly string[]): readonly string[] | undefined {
  if ((hostNames[host] ?? host) === 'dev.azure.com') {
    const isSsh = /^v\d$/i.test(segments[0] ?? '') && segments.length === 4;
    return isSsh ? segments.slice(1) : segments;
  }
  const organisation = /^([^.]+)\.visualstudio\.com$/.exec(host)?.[1];
  return organisation === undefined ? undefined : [organisation, ...dropDefaultCollection(segments)];
}

function dropDefaultCollection(segments: readonly string[]): readonly string[] {
  return segments[0]?.toLowerCase() === 'defaultcollection' ? segments.slice(1) : segments;
}

/** `/context/scm/project/name`, `/projects/project/repos/name/browse`, `/users/me/repos/name` → `project/name`. */
function dropServerPrefix(segments: readonly string[]): readonly string[] {
  const repos = segments.findIndex((segment) => segment.toLowerCase() === 'repos');
  const [owners, owner] = segments.slice(Math.max(0, repos - 2), Math.max(0, repos));
  const name = segments[repos + 1];
  if (repos >= 2 && owner !== undefined && name !== undefined && /^(?:projects|users)$/i.test(owners ?? '')) {
    return [owners?.toLowerCase() === 'users' ? `~${owner}` : owner, name];
  }
  const isScm = segments.at(-3)?.toLowerCase() === 'scm';
  return isScm ? segments.slice(-2) : segments;
}

/**
 * True when both URLs name one repository. Letter case does not count, because no forge tells two repositories apart by it; with forge
 * `generic`, a plain git server, it does.
 */
export function isSameRepository(a: string, b: string, forge?: GitProviderName): boolean {
  const [one, other] = [normaliseRepository(a, forge), normaliseRepository(b, forge)];
  if (one === undefined || other?.host !== one.host) return false;
  if (!isSamePath(one.path, other.path, forge)) return false;
  return one.port === other.port || one.port === 'ssh' || other.port === 'ssh';
}

/** True when both paths name one repository on their host. */
export function isSamePath(a: string, b: string, forge?: GitProviderName): boolean {
  return forge === 'generic' ? a === b : a.toLowerCase() === b.toLowerCase();
}

/** The host of a repository's first address that has one, with its port; undefined when none has. */
export function hostOfRepository(urls: readonly string[]): string | undefined {
  const found = urls.map((url) => normaliseRepository(url)).filter((address) => address !== undefined);
  const address = found.find(({ port }) => port !== 'ssh') ?? found[0];
  if (address === undefined) return undefined;
  return typeof address.port === 'number' ? `${address.host}:${String(address.port)}` : address.host;
}

/** The addresses among `urls` that can be read, each once and without credentials. */
export function keepAddresses(urls: readonly (string | null | undefined)[]): string[] {
  const kept = urls.flatMap((url) =>
    typeof url === 'string' && normaliseRepository(url) ? [dropCredentials(url)] : [],
  );
  return [...new Set(kept)];
}

function dropCredentials(url: string): string {
  if (!/^(?:https?):\/\//i.test(url) || !URL.canParse(url)) return url.trim();
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}
