import { isDigest, type Digest } from '../domain/digest.ts';
import { isTag, type RepositoryName, type Tag } from '../domain/image-reference.ts';
import type { Change } from './changes.ts';
import { isKnownToClient } from './conditions.ts';
import { oci } from './errors.ts';
import { sendBytes, sendEmpty, type Exchange } from './exchange.ts';
import { doerOf, type Doer } from './caller.ts';
import { referenceTouch, repositoryTouch } from './holding.ts';
import { refuseLockedDelete, refuseLockedPull, refuseLockedUntag } from './locks.ts';
import type { DeleteEvent, UntagEvent } from '../domain/event.ts';
import type { ManifestRecord } from './records.ts';
import type { RepositoryContents } from './repository-contents.ts';
import { refuseQuarantined, type QuarantineAccess } from './policies/quarantine.ts';
import { keepDeleted, keepDeletedTag } from './policies/soft-delete.ts';
import { timeOf, type RegistryState } from './state.ts';
import type { TrustGate } from '../trust/gate.ts';
import { demandTrusted } from './trust/demand.ts';

/** Which manifest: a tag or a digest of a repository. */
export interface ManifestAddress {
  readonly repository: RepositoryName;
  readonly reference: string;
}

/** What the manifest handlers work on. */
export interface ManifestRooms {
  readonly state: RegistryState;
}

/** What the reading of manifests works on. */
export interface ReadingRooms extends ManifestRooms {
  readonly access: QuarantineAccess;
  readonly trust: TrustGate;
}

/** GET and HEAD of a manifest: the very bytes and type that were pushed, whatever Accept says. */
export async function sendManifest(rooms: ReadingRooms, exchange: Exchange, at: ManifestAddress): Promise<void> {
  const { state } = rooms;
  const { contents, record } = findManifest(state, at);
  refuseLockedPull(at.repository, contents, { reference: at.reference, record });
  refuseQuarantined(rooms.access, exchange, { ...at, record });
  await demandTrusted(rooms, exchange, { ...at, digest: record.digest });
  if (exchange.method === 'GET') state.pulls.note(at.repository, at.reference, record.digest);
  const headers = { 'docker-content-digest': record.digest, etag: `"${record.digest}"` };
  if (isKnownToClient(exchange, record.digest)) {
    sendEmpty(exchange, 304, headers);
    return;
  }
  const bytes = await state.manifestBytes.read(record.digest);
  if (bytes === undefined) throw unknown(at);
  sendBytes(exchange, bytes, { ...headers, 'content-type': record.mediaType });
}

/** DELETE by tag takes the tag away; by digest the manifest and every tag that stands for it. */
export async function deleteManifest(rooms: ManifestRooms, exchange: Exchange, at: ManifestAddress): Promise<void> {
  const { record } = findManifest(rooms.state, at);
  if (isDigest(at.reference)) await removeManifest(rooms, exchange, { ...at, digest: record.digest });
  else await removeTag(rooms, exchange, at);
  sendEmpty(exchange, 202, { 'docker-content-digest': record.digest });
}

/** What a reference stands for. Throws NAME_UNKNOWN and MANIFEST_UNKNOWN. */
export function findManifest(
  state: RegistryState,
  at: ManifestAddress,
): { contents: RepositoryContents; record: ManifestRecord } {
  if (!isDigest(at.reference) && at.reference.includes(':')) {
    throw oci('DIGEST_INVALID', `"${at.reference.slice(0, 160)}" is no sha256 or sha512 digest`);
  }
  const contents = state.index.repository(at.repository);
  if (contents?.exists !== true) {
    throw oci('NAME_UNKNOWN', 'there is no such repository', { detail: { name: at.repository } });
  }
  const record = contents.find(at.reference);
  if (record === undefined) throw unknown(at);
  return { contents, record };
}

export async function removeTag(rooms: ManifestRooms, exchange: Exchange, at: ManifestAddress): Promise<void> {
  const { state } = rooms;
  const { repository, reference: tag } = at;
  if (!isTag(tag)) throw unknown(at);
  const touches = { shared: [repositoryTouch(repository)], own: [referenceTouch(repository, tag)] };
  await state.ledger.commit(() => {
    const { contents, record } = findManifest(state, at);
    refuseLockedUntag(repository, contents, tag);
    const event: UntagEvent = { ...eventOf(rooms, exchange, at, record), kind: 'untag', tag };
    return {
      changes: [
        ...untag(state, repository, [tag]),
        ...keepDeletedTag(state, { repository, record, tags: [tag], by: exchange.principal?.name }),
        { is: 'event', id: event.id, record: event },
      ],
      result: undefined,
    };
  }, touches);
}

export async function removeManifest(
  rooms: ManifestRooms,
  exchange: Exchange,
  at: ManifestAddress & { readonly digest: Digest },
): Promise<void> {
  const { state } = rooms;
  const { repository, digest } = at;
  await state.ledger.commit(
    () => {
      const { contents, record } = findManifest(state, at);
      refuseLockedDelete(repository, contents, digest);
      const event: DeleteEvent = {
        ...eventOf(rooms, exchange, at, record),
        kind: 'delete',
        tags: contents.tagsOf(digest) as Tag[],
      };
      const changes: Change[] = [
        ...untag(state, repository, contents.tagsOf(digest)),
        ...forgetManifest(state, repository, record, exchange.principal?.name),
        { is: 'event', id: event.id, record: event },
      ];
      return { changes, result: undefined };
    },
    { own: [repositoryTouch(repository)] },
  );
}

/** Takes tags away. */
export function untag(state: RegistryState, repository: RepositoryName, tags: readonly string[]): Change[] {
  const at = timeOf(state);
  return tags.map((tag) => ({ is: 'tag', repository, tag: tag as Tag, at }));
}

/**
 * Takes a manifest out of a repository; where the policy says so, it can be had back with the tags that it has now. The blobs that nothing
 * else names are kept for as long as those of a push that has just begun.
 */
export function forgetManifest(
  state: RegistryState,
  repository: RepositoryName,
  record: ManifestRecord,
  by?: string,
): Change[] {
  const contents = state.index.repository(repository);
  const touchedTime = timeOf(state);
  const touched = record.references.flatMap(({ digest }): Change[] => {
    const blob = contents?.blobs.get(digest);
    return blob === undefined ? [] : [{ is: 'blob', repository, digest, record: { ...blob, touchedTime } }];
  });
  const tags = contents?.tagsOf(record.digest) ?? [];
  const kept = keepDeleted(state, { repository, record, tags, by });
  return [...touched, { is: 'manifest', repository, digest: record.digest }, ...kept];
}

/** What every event of a change says that a request has made. */
export function eventOf(
  rooms: ManifestRooms,
  exchange: Exchange,
  at: ManifestAddress,
  record: Pick<ManifestRecord, 'digest' | 'mediaType' | 'size' | 'configMediaType'>,
): Omit<DeleteEvent, 'kind'> {
  return eventBy(rooms.state, doerOf(exchange), at.repository, record);
}

/** What every event of a change says; its id sorts by time. */
export function eventBy(
  state: Pick<RegistryState, 'clock' | 'newId'>,
  { by, request }: Doer,
  repository: RepositoryName,
  record: Pick<ManifestRecord, 'digest' | 'mediaType' | 'size' | 'configMediaType'>,
): Omit<DeleteEvent, 'kind'> {
  const { digest, mediaType, size, configMediaType } = record;
  return {
    id: `${String(state.clock.now()).padStart(14, '0')}-${state.newId()}`,
    ...{ repository, digest, mediaType, size, at: timeOf(state) },
    ...(by !== undefined && { by }),
    ...(configMediaType !== undefined && { configMediaType }),
    ...(request !== undefined && { request }),
  };
}

function unknown(at: ManifestAddress): Error {
  return oci('MANIFEST_UNKNOWN', 'this repository has no such manifest', {
    detail: { name: at.repository, reference: at.reference.slice(0, 160) },
  });
}
