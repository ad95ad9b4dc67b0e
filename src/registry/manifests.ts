import { isDigest, type Digest } from '../domain/digest.ts';
import { isTag, type RepositoryName } from '../domain/image-reference.ts';
import { oci } from './errors.ts';
import { sendBytes, sendEmpty, type Exchange } from './exchange.ts';
import { contentKey, manifestKey, tagKey } from './layout.ts';
import type { DeleteEvent, UntagEvent } from '../domain/event.ts';
import type { Outbox } from './outbox.ts';
import type { ManifestRecord } from './records.ts';
import type { RepositoryContents } from './repository-index.ts';
import { timeOf, type RegistryState } from './state.ts';

/** Which manifest: a tag or a digest of a repository. */
export interface ManifestAddress {
  readonly repository: RepositoryName;
  readonly reference: string;
}

/** What the manifest handlers work on. */
export interface ManifestRooms {
  readonly state: RegistryState;
  readonly outbox: Outbox;
}

/** The bytes of a manifest of the store; undefined when they are lost. */
export async function readManifest(state: RegistryState, digest: Digest): Promise<Buffer | undefined> {
  const cached = state.manifestBytes.get(digest);
  if (cached !== undefined) return cached;
  const bytes = await state.storage.readSmall(contentKey(digest));
  if (bytes !== undefined) state.manifestBytes.set(digest, bytes);
  return bytes;
}

/** GET and HEAD of a manifest: the very bytes and type that were pushed, whatever Accept says. */
export async function sendManifest(state: RegistryState, exchange: Exchange, at: ManifestAddress): Promise<void> {
  const record = findManifest(state, at).record;
  const headers = { 'docker-content-digest': record.digest, etag: `"${record.digest}"` };
  if (matchesTag(exchange.req.headers['if-none-match'], headers.etag)) {
    sendEmpty(exchange, 304, headers);
    return;
  }
  const bytes = await readManifest(state, record.digest);
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

/** The lock that changes of a manifest or tag of a repository take. */
export function lockOf(repository: RepositoryName, reference: string): string {
  return isDigest(reference) ? `${repository}@${reference}` : `${repository}:${reference}`;
}

function findManifest(
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

async function removeTag(rooms: ManifestRooms, exchange: Exchange, at: ManifestAddress): Promise<void> {
  const { state, outbox } = rooms;
  const tag = at.reference;
  if (!isTag(tag)) throw unknown(at);
  await state.locks.hold([lockOf(at.repository, tag)], async () => {
    const { contents, record } = findManifest(state, at);
    const event: UntagEvent = { ...eventOf(rooms, exchange, at, record), kind: 'untag', tag };
    await outbox.write([event]);
    await state.storage.delete(tagKey(at.repository, tag));
    contents.removeTag(tag);
    outbox.deliver([event]);
  });
}

async function removeManifest(
  rooms: ManifestRooms,
  exchange: Exchange,
  at: ManifestAddress & { readonly digest: Digest },
): Promise<void> {
  const { state, outbox } = rooms;
  const { repository, digest } = at;
  await state.locks.hold([lockOf(repository, digest)], async () => {
    const { contents, record } = findManifest(state, at);
    const event: DeleteEvent = { ...eventOf(rooms, exchange, at, record), kind: 'delete' };
    await outbox.write([event]);
    // Tags first: a tag must never come back with a manifest that is pushed again later.
    for (const tag of contents.tagsOf(digest)) {
      await state.locks.hold([lockOf(repository, tag)], async () => {
        if (!isTag(tag) || contents.tag(tag)?.digest !== digest) return; // it has moved on meanwhile
        await state.storage.delete(tagKey(repository, tag));
        contents.removeTag(tag);
      });
    }
    await state.storage.delete(manifestKey(repository, digest));
    contents.removeManifest(digest);
    outbox.deliver([event]);
  });
}

/** What every event of a change says; its id sorts by time. */
export function eventOf(
  rooms: ManifestRooms,
  exchange: Exchange,
  at: ManifestAddress,
  record: Pick<ManifestRecord, 'digest' | 'mediaType' | 'size'>,
): Omit<DeleteEvent, 'kind'> {
  const { state } = rooms;
  const { digest, mediaType, size } = record;
  return {
    id: `${String(state.clock.now()).padStart(14, '0')}-${state.newId()}`,
    ...{ repository: at.repository, digest, mediaType, size, at: timeOf(state) },
    ...(exchange.principal !== undefined && { by: exchange.principal.name }),
  };
}

function matchesTag(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((each) => [etag, `W/${etag}`, '*'].includes(each.trim())) === true;
}

function unknown(at: ManifestAddress): Error {
  return oci('MANIFEST_UNKNOWN', 'this repository has no such manifest', {
    detail: { name: at.repository, reference: at.reference.slice(0, 160) },
  });
}
