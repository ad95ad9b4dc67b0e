import { isRepositoryName, type RepositoryName } from '../domain/image-reference.ts';
import type { Access } from './access/access.ts';
import type { Audit } from './access/audit.ts';
import type { AcrRooms } from './acr/rooms.ts';
import { deleteBlob, sendBlob } from './blobs.ts';
import { oci } from './errors.ts';
import { sendJson, type Exchange } from './exchange.ts';
import { sendCatalog, sendReferrers, sendTags } from './listing.ts';
import { putManifest } from './manifest-push.ts';
import { deleteManifest, sendManifest, type ManifestRooms } from './manifests.ts';
import type { RegistryAction } from './options.ts';
import type { RateGate } from './policies/rates.ts';
import { findRoute, type Route } from './routes.ts';
import type { Sessions } from './sessions.ts';
import type { TrustGate } from '../trust/gate.ts';
import { cancelUpload, closeUpload, continueUpload, showUpload, startUpload } from './uploads.ts';

/** All that the handlers need. */
export interface Rooms extends ManifestRooms, AcrRooms {
  readonly access: Access;
  /** Absent: requests are not counted. */
  readonly rates: RateGate | undefined;
  readonly audit: Audit;
  readonly trust: TrustGate;
  readonly sessions: Sessions;
}

/** What to do for one method of a route, and the right that it takes. */
interface Endpoint {
  readonly action: RegistryAction;
  readonly run: (repository: RepositoryName) => Promise<void> | void;
}

/** Answers a request under `/v2`; throws OCI errors. */
export async function dispatch(rooms: Rooms, exchange: Exchange): Promise<void> {
  const route = findRoute(exchange.path);
  if (route === undefined) throw oci('UNSUPPORTED', 'there is nothing at this path', { status: 404 });
  if (route.kind === 'ping') {
    answerPing(rooms, exchange);
    return;
  }
  const endpoints = endpointsOf(rooms, exchange, route);
  const endpoint = endpoints[exchange.method];
  if (endpoint === undefined) {
    const headers = { allow: Object.keys(endpoints).join(', ') };
    throw oci('UNSUPPORTED', `${exchange.method} is not offered here`, { headers });
  }
  await run(rooms, exchange, route, endpoint);
}

async function run(
  rooms: Rooms,
  exchange: Exchange,
  route: Exclude<Route, { kind: 'ping' }>,
  endpoint: Endpoint,
): Promise<void> {
  if (route.kind === 'catalog') {
    rooms.access.demand(exchange, '*', endpoint.action);
    sendCatalog(rooms.state, exchange);
    return;
  }
  if (!isRepositoryName(route.name)) {
    throw oci('NAME_INVALID', `"${route.name.slice(0, 300)}" cannot be the name of a repository`);
  }
  rooms.access.demand(exchange, route.name, endpoint.action);
  await endpoint.run(route.name);
}

function answerPing(rooms: Rooms, exchange: Exchange): void {
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
    throw oci('UNSUPPORTED', `${exchange.method} is not offered here`, { headers: { allow: 'GET, HEAD' } });
  }
  rooms.access.demandLogin(exchange);
  sendJson(exchange, {});
}

function endpointsOf(
  rooms: Rooms,
  exchange: Exchange,
  route: Exclude<Route, { kind: 'ping' }>,
): Partial<Record<string, Endpoint>> {
  const { state } = rooms;
  const reading = (run: Endpoint['run']): Partial<Record<string, Endpoint>> => ({
    GET: { action: 'pull', run },
    HEAD: { action: 'pull', run },
  });
  const pushing = (run: Endpoint['run']): Endpoint => ({ action: 'push', run });
  switch (route.kind) {
    case 'catalog':
      return { GET: { action: 'catalog', run: () => undefined } };
    case 'tags':
      return reading((repository) => {
        sendTags(rooms, exchange, repository);
      });
    case 'referrers':
      return reading((repository) => sendReferrers(state, exchange, { repository, digest: route.digest }));
    case 'blob':
      return {
        ...reading((repository) => sendBlob(state, exchange, { repository, digest: route.digest })),
        DELETE: {
          action: 'delete',
          run: (repository) => deleteBlob(state, exchange, { repository, digest: route.digest }),
        },
      };
    case 'manifest': {
      const { reference } = route;
      return {
        ...reading((repository) => sendManifest(rooms, exchange, { repository, reference })),
        PUT: pushing((repository) => putManifest(rooms, exchange, { repository, reference })),
        DELETE: { action: 'delete', run: (repository) => deleteManifest(rooms, exchange, { repository, reference }) },
      };
    }
    case 'uploads':
      return { POST: pushing((repository) => startUpload(rooms, exchange, repository)) };
    case 'upload': {
      const { id } = route;
      return {
        GET: pushing((repository) => showUpload(rooms, exchange, { repository, id })),
        PATCH: pushing((repository) => continueUpload(rooms, exchange, { repository, id })),
        PUT: pushing((repository) => closeUpload(rooms, exchange, { repository, id })),
        DELETE: pushing((repository) => cancelUpload(rooms, exchange, { repository, id })),
      };
    }
  }
}
