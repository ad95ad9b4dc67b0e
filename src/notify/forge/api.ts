import { fail } from '../../domain/failure.ts';
import { normaliseRepository, type GitProviderName, type RepositoryAddress } from '../../domain/git-repository.ts';

/** The APIs that are spoken. Bitbucket's two products share a name and nothing else. */
export type ForgeApi = 'github' | 'gitlab' | 'gitea' | 'bitbucket-cloud' | 'bitbucket-server' | 'azure-devops';

/** A repository as the task has it, with what deliveries have taught of it. */
export interface ForgeRepository {
  readonly provider: GitProviderName;
  /** The clone URL. */
  readonly url: string;
  /** The root of the API (`https://git.corp/api/v4`), where it cannot be told from the clone URL. */
  readonly apiUrl?: string;
  /** What a delivery's `repository.ids` held: GitLab's project id. */
  readonly ids?: Readonly<Record<string, string>>;
}

/** A token, and the user name where the forge wants one beside it (Bitbucket's app passwords). */
export interface ForgeCredential {
  readonly token: string;
  readonly user?: string;
}

/** A request to a forge, complete; `headers` hold the credential. */
export interface ForgeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; absent for a GET. */
  readonly body?: string;
}

/** Where and how to ask a forge about one repository. */
export interface ForgeClient {
  readonly api: ForgeApi;
  readonly ids: Readonly<Record<string, string>>;
  /** Names of the repository from the outermost in: owner and name; groups and name; organisation, project and name. */
  readonly names: readonly string[];
  /** A request below the root of the API; `segments` are escaped. */
  readonly request: (method: ForgeRequest['method'], segments: readonly string[], more?: RequestParts) => ForgeRequest;
}

export interface RequestParts {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

/**
 * Works out the API of a repository's forge.
 * @throws `unsupported` for a plain git server, `invalid-request` when the URL is none or the credential would travel over http.
 */
export function openForge(repository: ForgeRepository, credential: ForgeCredential): ForgeClient {
  const address = normaliseRepository(repository.url, repository.provider);
  if (address === undefined)
    throw fail('invalid-request', 'the repository URL cannot be read', { field: 'repositoryUrl' });
  const api = toApi(repository.provider, address.host);
  const { names, root } = locate(api, address);
  const apiUrl = (repository.apiUrl ?? rootUrl(repository.url, root)).replace(/\/+$/, '');
  const headers = headersFor(api, credential);
  return {
    api,
    ids: repository.ids ?? {},
    names,
    request: (method, segments, { query, body } = {}) => ({
      method,
      url: `${apiUrl}/${segments.map(encodeURIComponent).join('/')}${toQuery(query)}`,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  };
}

function toApi(provider: GitProviderName, host: string): ForgeApi {
  if (provider === 'generic') {
    throw fail('unsupported', 'a plain git server has no API to report to or to set up webhooks with', {
      hint: 'name the forge of the repository, or add the webhook by hand',
    });
  }
  if (provider !== 'bitbucket') return provider;
  return host === 'bitbucket.org' ? 'bitbucket-cloud' : 'bitbucket-server';
}

interface Located {
  readonly names: readonly string[];
  /** The API's root without the scheme. */
  readonly root: string;
}

/** The forges' own rules of where their API lies; a folder before the repository's names is the forge's own place on the host. */
function locate(api: ForgeApi, { host, port, path }: RepositoryAddress): Located {
  const place = typeof port === 'number' ? `${host}:${String(port)}` : host;
  const segments = path.split('/');
  switch (api) {
    case 'github':
      return { names: segments.slice(-2), root: githubRoot(place) };
    case 'gitlab':
      return { names: segments, root: `${place}/api/v4` };
    case 'gitea':
      return { names: segments.slice(-2), root: [place, ...segments.slice(0, -2), 'api/v1'].join('/') };
    case 'bitbucket-cloud':
      return { names: segments.slice(-2), root: 'api.bitbucket.org/2.0' };
    case 'bitbucket-server':
      return { names: segments.slice(-2), root: `${place}/rest/api/latest` };
    case 'azure-devops':
      return locateAzure(place, segments);
  }
}

function githubRoot(place: string): string {
  if (place === 'github.com') return 'api.github.com';
  return place.endsWith('.ghe.com') ? `api.${place}` : `${place}/api/v3`;
}

/** `organisation/project/_git/name`, on own servers with `tfs/collection` for the organisation; the project may be left out of a URL. */
function locateAzure(place: string, segments: readonly string[]): Located {
  const at = segments.findIndex((segment) => /^_(?:git|ssh)$/i.test(segment));
  const name = segments[at + 1];
  const project = segments[at - 1];
  if (at < 2 || name === undefined || project === undefined) {
    throw fail('invalid-request', 'this is no clone URL of Azure DevOps', { field: 'repositoryUrl' });
  }
  const collection = segments.slice(0, at - 1);
  return { names: [...collection, project, name], root: [place, ...collection.map(encodeURIComponent)].join('/') };
}

function rootUrl(url: string, root: string): string {
  if (!/^http:\/\//i.test(url)) return `https://${root}`;
  throw fail('invalid-request', 'a token is never sent over http', {
    field: 'repositoryUrl',
    hint: 'use https, or set apiUrl of the source trigger (slipway task update: --api-url) where the network is your own',
  });
}

function toQuery(query: Readonly<Record<string, string>> | undefined): string {
  return query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
}

/** How each forge takes a token, by its API's documentation. */
function headersFor(api: ForgeApi, { token, user }: ForgeCredential): Record<string, string> {
  const basic = (name: string): string => `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`;
  const accept = { accept: api === 'github' ? 'application/vnd.github+json' : 'application/json' };
  switch (api) {
    case 'github':
      return { ...accept, authorization: `Bearer ${token}`, 'x-github-api-version': '2022-11-28' };
    case 'gitea':
      return { ...accept, authorization: `token ${token}` };
    case 'azure-devops':
      return { ...accept, authorization: basic(user ?? '') };
    case 'bitbucket-cloud':
    case 'bitbucket-server':
      return { ...accept, authorization: user === undefined ? `Bearer ${token}` : basic(user) };
    case 'gitlab':
      return { ...accept, authorization: `Bearer ${token}` };
  }
}
