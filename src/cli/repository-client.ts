import { fail } from '../domain/failure.ts';
import { callApi, readAnswer, type ApiCall, type ApiTarget } from './api-call.ts';

/** What can be done to a repository, a tag or a manifest. */
export interface AttributesView {
  readonly deleteEnabled: boolean;
  readonly writeEnabled: boolean;
  readonly readEnabled: boolean;
  readonly listEnabled: boolean;
}

/** What documents of repositories, tags and manifests have in common. */
interface Changeable {
  readonly createdTime: string;
  readonly lastUpdateTime: string;
  /** Absent: nobody has pulled it since pulls are noted. */
  readonly lastPulledTime?: string;
  readonly changeableAttributes: AttributesView;
}

export interface RepositoryView extends Changeable {
  readonly registry: string;
  readonly imageName: string;
  readonly manifestCount: number;
  readonly tagCount: number;
}

export interface TagDocument extends Changeable {
  readonly name: string;
  readonly digest: string;
  readonly signed: boolean;
  /** True: a policy keeps it from being moved. */
  readonly writeOnce?: boolean;
}

export interface ManifestView extends Changeable {
  readonly digest: string;
  readonly imageSize: number;
  readonly mediaType: string;
  readonly architecture?: string;
  readonly os?: string;
  readonly tags: readonly string[];
}

/** What went with a repository. */
export interface DeletedRepositoryView {
  readonly manifestsDeleted: readonly string[];
  readonly tagsDeleted: readonly string[];
}

/** Something in the registry: a repository, or one tag or manifest of it. */
export interface RegistryTarget {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** How a list is to come. */
export interface ListOrder {
  /** At most so many; undefined: all. */
  readonly top?: number | undefined;
  readonly orderBy?: 'timeasc' | 'timedesc' | undefined;
}

/** The calls that concern what lies in the registry, which is the data plane of Azure Container Registry. */
export interface RepositoryCalls {
  repositories(order: ListOrder): Promise<readonly string[]>;
  tags(repository: string, order: ListOrder): Promise<readonly TagDocument[]>;
  manifests(repository: string, order: ListOrder): Promise<readonly ManifestView[]>;
  repository(name: string): Promise<RepositoryView>;
  tag(repository: string, tag: string): Promise<TagDocument>;
  manifest(repository: string, digest: string): Promise<ManifestView>;
  /** Changes attributes; the document after that. */
  updateAttributes(target: RegistryTarget, attributes: Partial<AttributesView>): Promise<unknown>;
  untag(repository: string, tag: string): Promise<void>;
  /** Deletes a manifest with its tags. */
  deleteManifest(repository: string, digest: string): Promise<void>;
  deleteRepository(name: string): Promise<DeletedRepositoryView>;
}

const root = '/acr/v1';
const pageEntries = 1000;
/** A repository with very many manifests takes its time. */
const deletionMs = 10 * 60_000;

function pathOf({ repository, tag, digest }: RegistryTarget): string {
  const below = digest !== undefined ? `/_manifests/${digest}` : tag !== undefined ? `/_tags/${tag}` : '';
  return `/${repository}${below}`;
}

/** The path of the next page, below `/acr/v1`. */
function nextOf(response: Response): string | undefined {
  const [, link] = /^<([^>]*)>;\s*rel="?next"?/.exec(response.headers.get('link') ?? '') ?? [];
  return link?.startsWith(`${root}/`) === true ? link.slice(root.length) : undefined;
}

/** Makes the calls that concern repositories. */
export function createRepositoryCalls(target: ApiTarget): RepositoryCalls {
  const send = (call: Pick<ApiCall, 'method' | 'path' | 'body' | 'timeoutMs'>): Promise<Response> =>
    callApi(target, { ...call, root, repeat: call.method === 'GET' ? 'broken' : 'never' });
  const read = async <T>(path: string, field?: string): Promise<T> => {
    const document = await readAnswer(target, await send({ method: 'GET', path }));
    const part = field === undefined ? document : (document as Readonly<Record<string, unknown>> | null)?.[field];
    if (typeof part === 'object' && part !== null) return part as T;
    throw fail('server-unreachable', `what answers at ${target.server} is not Slipway`);
  };
  const readList = async <T>(path: string, field: string, { top = Infinity, orderBy }: ListOrder): Promise<T[]> => {
    const query = new URLSearchParams({ n: String(Math.min(top, pageEntries)), ...(orderBy && { orderby: orderBy }) });
    const all: T[] = [];
    let next: string | undefined = `${path}?${query.toString()}`;
    while (next !== undefined && all.length < top) {
      const response = await send({ method: 'GET', path: next });
      const page = (await readAnswer(target, response)) as Readonly<Record<string, readonly T[] | undefined>> | null;
      for (const one of page?.[field] ?? []) all.push(one);
      next = nextOf(response);
    }
    return all.slice(0, top);
  };
  const remove = async (one: RegistryTarget): Promise<void> => {
    await (await send({ method: 'DELETE', path: pathOf(one) })).arrayBuffer();
  };
  return {
    repositories: (order) => readList('/_catalog', 'repositories', order),
    tags: (repository, order) => readList(`/${repository}/_tags`, 'tags', order),
    manifests: (repository, order) => readList(`/${repository}/_manifests`, 'manifests', order),
    repository: (name) => read(pathOf({ repository: name })),
    tag: (repository, tag) => read(pathOf({ repository, tag }), 'tag'),
    manifest: (repository, digest) => read(pathOf({ repository, digest }), 'manifest'),
    updateAttributes: async (one, body) => readAnswer(target, await send({ method: 'PATCH', path: pathOf(one), body })),
    untag: (repository, tag) => remove({ repository, tag }),
    deleteManifest: (repository, digest) => remove({ repository, digest }),
    deleteRepository: async (name) => {
      const call = { method: 'DELETE', path: pathOf({ repository: name }), timeoutMs: deletionMs } as const;
      return (await readAnswer(target, await send(call))) as DeletedRepositoryView;
    },
  };
}
