import type { RegistryEvent } from '../../domain/event.ts';
import { tagOf, type Told } from './told.ts';

/** Where events come from. */
export interface Origin {
  /** Host of the registry as it stands in image names. */
  readonly registryHost: string;
  /** Resource id of the registry. */
  readonly registryId: string;
  /** Root of the server's URLs, without a slash at the end. */
  readonly url: string;
}

/** The body of a webhook of Azure Container Registry ("Azure Container Registry webhook reference"). */
export interface AzurePayload {
  readonly id: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly action: string;
  readonly target?: object;
  readonly request?: object;
}

/** Helm writes `+` of a version as `_` into tags, which know no `+`. */
function describeChart(event: RegistryEvent): object {
  const tag = tagOf(event) ?? (event.kind === 'delete' ? event.tags?.[0] : undefined);
  const name = event.chart?.name ?? event.repository.slice(event.repository.lastIndexOf('/') + 1);
  const version = event.chart?.version ?? tag?.replaceAll('_', '+');
  return { name, ...(version !== undefined && { version }) };
}

function isOfChart({ action }: Told): boolean {
  return action === 'chart_push' || action === 'chart_delete';
}

/** In the order of the members that the reference shows. */
function targetOf(told: Told): object {
  const { mediaType, digest, repository, size } = told.event;
  if (told.action === 'delete') return { mediaType, digest, repository };
  const tag = tagOf(told.event);
  const isChart = isOfChart(told);
  return {
    mediaType,
    size,
    digest,
    ...(!isChart && { length: size }),
    repository,
    ...(tag !== undefined && { tag }),
    ...(isChart && describeChart(told.event)),
  };
}

const usualMethods: Readonly<Record<RegistryEvent['kind'], string>> = {
  push: 'PUT',
  quarantine: 'PUT',
  delete: 'DELETE',
  untag: 'DELETE',
};

/** The request that has made it happen; what the registry did by itself carries the event's id, and no user agent. */
export function requestOf({ id, event }: Told, { registryHost }: Origin): object {
  const { request } = event;
  return {
    id: request?.id ?? id,
    host: request?.host ?? registryHost,
    method: request?.method ?? usualMethods[event.kind],
    ...(request?.userAgent !== undefined && { useragent: request.userAgent }),
  };
}

/** The body as Azure Container Registry sends it: charts go without the request. */
export function azurePayload(told: Told, origin: Origin): AzurePayload {
  const { id, action, event } = told;
  return {
    id,
    timestamp: event.at,
    action,
    target: targetOf(told),
    ...(!isOfChart(told) && { request: requestOf(told, origin) }),
  };
}
