import { isRepositoryName, type RepositoryName } from '../../domain/image-reference.ts';
import { oci } from '../errors.ts';
import { sendEmpty, type Exchange } from '../exchange.ts';
import { sendCatalog } from '../listing.ts';
import { removeManifest, removeTag } from '../manifests.ts';
import type { RegistryAction } from '../options.ts';
import { deleteRepository } from './delete-repository.ts';
import { findContents, findTag, parseDigest } from './find.ts';
import type { AcrRooms } from './rooms.ts';
import { findAcrRoute, type AcrRoute } from './routes.ts';
import { sendManifestDetail, sendManifestList, sendRepository, sendTagList, sendVisibleTag } from './show.ts';
import { updateManifest, updateRepository, updateTag } from './update.ts';

/** What to do for one method of a route. */
interface Endpoint {
  /** The right that it takes; undefined: it asks by itself. */
  readonly action?: RegistryAction;
  readonly run: (repository: RepositoryName) => Promise<void> | void;
}

type Endpoints = Partial<Record<string, Endpoint>>;

/** Answers a request under `/acr/v1/`, the data plane of Azure Container Registry (registry.md §1.8); throws OCI errors. */
export async function dispatchAcr(rooms: AcrRooms, exchange: Exchange): Promise<void> {
  const route = findAcrRoute(exchange.path);
  if (route === undefined) throw oci('UNSUPPORTED', 'there is nothing at this path', { status: 404 });
  const endpoints = endpointsOf(rooms, exchange, route);
  const endpoint = endpoints[exchange.method];
  if (endpoint === undefined) {
    const headers = { allow: Object.keys(endpoints).join(', ') };
    throw oci('UNSUPPORTED', `${exchange.method} is not offered here`, { headers });
  }
  const name = route.kind === 'catalog' ? ('*' as RepositoryName) : nameOf(route.name);
  if (endpoint.action !== undefined) rooms.access.demand(exchange, name, endpoint.action);
  await endpoint.run(name);
}

function nameOf(text: string): RepositoryName {
  if (isRepositoryName(text)) return text;
  throw oci('NAME_INVALID', `"${text.slice(0, 300)}" cannot be the name of a repository`);
}

function reading(run: Endpoint['run']): Endpoint {
  return { action: 'metadata-read', run };
}

function writing(run: Endpoint['run']): Endpoint {
  return { action: 'metadata-write', run };
}

function deleting(run: Endpoint['run']): Endpoint {
  return { action: 'delete', run };
}

function endpointsOf(rooms: AcrRooms, exchange: Exchange, route: AcrRoute): Endpoints {
  switch (route.kind) {
    case 'catalog':
      return { GET: { action: 'catalog', run: () => sendCatalog(rooms.state, exchange) } };
    case 'repository':
      return {
        GET: reading((repository) => sendRepository(rooms, exchange, repository)),
        PATCH: writing((repository) => updateRepository(rooms, exchange, repository)),
        DELETE: deleting((repository) => deleteRepository(rooms.state, exchange, repository)),
      };
    case 'tags':
      return { GET: reading((repository) => sendTagList(rooms, exchange, repository)) };
    case 'tag':
      return endpointsOfTag(rooms, exchange, route.tag);
    case 'manifests':
      return { GET: reading((repository) => sendManifestList(rooms, exchange, repository)) };
    case 'manifest':
      return endpointsOfManifest(rooms, exchange, route.digest);
  }
}

function endpointsOfTag(rooms: AcrRooms, exchange: Exchange, tag: string): Endpoints {
  return {
    GET: reading((repository) => sendVisibleTag(rooms, exchange, { repository, tag })),
    PATCH: writing((repository) => updateTag(rooms, exchange, { repository, tag })),
    DELETE: deleting(async (repository) => {
      findTag(findContents(rooms.state, repository), { tag });
      await removeTag(rooms, exchange, { repository, reference: tag });
      sendEmpty(exchange, 202);
    }),
  };
}

function endpointsOfManifest(rooms: AcrRooms, exchange: Exchange, text: string): Endpoints {
  return {
    GET: reading((repository) => sendManifestDetail(rooms, exchange, { repository, digest: text })),
    PATCH: { run: (repository) => updateManifest(rooms, exchange, { repository, digest: text }) },
    DELETE: deleting(async (repository) => {
      const digest = parseDigest(text);
      await removeManifest(rooms, exchange, { repository, reference: digest, digest });
      sendEmpty(exchange, 202);
    }),
  };
}
