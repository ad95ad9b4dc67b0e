import { tagOf, type Told } from './told.ts';
import { requestOf, type Origin } from './azure.ts';

/** Media type of an envelope. */
export const distributionType = 'application/vnd.docker.distribution.events.v2+json';

/** What has gone: a manifest by its digest, or a tag alone, which says nothing of the digest that stays. */
function targetOf({ event }: Told, { url }: Origin): object {
  const { repository, digest, mediaType, size } = event;
  const tag = tagOf(event);
  if (event.kind === 'untag') return { repository, tag };
  if (event.kind === 'delete') return { digest, repository };
  return {
    mediaType,
    digest,
    size,
    length: size,
    repository,
    url: `${url}/v2/${repository}/manifests/${digest}`,
    ...(tag !== undefined && { tag }),
  };
}

const actions = { push: 'push', delete: 'delete', untag: 'delete', quarantine: 'quarantine' } as const;

/** The envelope of the reference registry's notifications, with one event ("Work with notifications" of its documentation). */
export function distributionPayload(told: Told, origin: Origin): object {
  const { id, event } = told;
  const address = event.request?.address;
  const request = { ...requestOf(told, origin), ...(address !== undefined && { addr: address }) };
  return {
    events: [
      {
        id,
        timestamp: event.at,
        action: actions[event.kind],
        target: targetOf(told, origin),
        request,
        actor: event.by === undefined ? {} : { name: event.by },
        source: { addr: origin.registryHost },
      },
    ],
  };
}
