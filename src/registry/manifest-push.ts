import { createHash } from 'node:crypto';
import { isDigest, splitDigest, type Digest } from '../domain/digest.ts';
import { isTag, type RepositoryName, type Tag } from '../domain/image-reference.ts';
import { holdsBlob, statContent } from './blobs.ts';
import { putDocument, readDocument } from './documents.ts';
import { oci, OciError } from './errors.ts';
import { announcedLength, readBody, sendEmpty, type Exchange } from './exchange.ts';
import { contentKey, manifestKey, repositoryKey, tagKey } from './layout.ts';
import { parseManifest, type ParsedManifest } from './manifest-document.ts';
import { eventOf, lockOf, type ManifestAddress, type ManifestRooms } from './manifests.ts';
import type { PushEvent } from '../domain/event.ts';
import type { ManifestDocument, ManifestReference, RepositoryDocument, TagDocument, TagMove } from './records.ts';
import { settleAll } from './settle.ts';
import { recordOf, timeOf, type RegistryState } from './state.ts';

/** Moves of a tag that its document remembers. */
const historyLength = 32;

/** A manifest that was received and found good. */
interface Accepted {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly parsed: ParsedManifest;
  readonly tags: readonly Tag[];
}

/** PUT of a manifest, by tag, or by digest with any number of `?tag=` (distribution-spec 1.2). */
export async function putManifest(rooms: ManifestRooms, exchange: Exchange, at: ManifestAddress): Promise<void> {
  const { state } = rooms;
  const tags = parseTags(exchange, at.reference);
  const bytes = await readWhole(exchange, state.limits.manifestBytes);
  const digest = digestOf(bytes, at.reference);
  const parsed = parseManifest(bytes, exchange.req.headers['content-type'], state.limits.jsonDepth);
  await refuseMissing(state, at.repository, parsed.references);
  const accepted: Accepted = { repository: at.repository, digest, bytes, parsed, tags };
  const kept = exchange.principal?.keepsSame === true ? await findSame(state, accepted) : [];
  await commit(rooms, exchange, { ...accepted, tags: tags.filter((tag) => !kept.includes(tag)) });
  sendEmpty(exchange, 201, {
    location: `/v2/${at.repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(parsed.subject !== undefined && { 'oci-subject': parsed.subject }),
    ...(isDigest(at.reference) && tags.length > 0 && { 'oci-tag': tags.join(', ') }),
  });
}

/**
 * The tags that stand for the same image but for times already. The bytes of what is pushed are stored for the comparison, before anybody
 * can see them; a tag that moves meanwhile is somebody else's newer word.
 */
async function findSame(state: RegistryState, accepted: Accepted): Promise<Tag[]> {
  const { repository, digest, tags } = accepted;
  const entry = state.index.repository(repository);
  const before = tags.flatMap((tag) => {
    const found = entry?.tag(tag)?.digest;
    return found === undefined || found === digest ? [] : [{ tag, found }];
  });
  if (before.length === 0) return [];
  await storeContent(state, accepted);
  const same: Tag[] = [];
  for (const { tag, found } of before) if (await state.isSameImage(found, digest)) same.push(tag);
  return same;
}

/**
 * Makes a manifest visible. The order is what keeps it whole in a crash: first what nobody sees (bytes, outbox), then
 * the manifest, then its tags, then the events; each step is on the disk before the next begins.
 */
async function commit(rooms: ManifestRooms, exchange: Exchange, accepted: Accepted): Promise<void> {
  const { state, outbox } = rooms;
  const { repository, digest, tags } = accepted;
  const locks = [digest, ...tags].map((reference) => lockOf(repository, reference));
  await state.locks.hold([locks[0] ?? ''], () =>
    state.locks.hold(locks.slice(1), async () => {
      const events = eventsOf(rooms, exchange, accepted);
      try {
        await settleAll([storeContent(state, accepted), ensureRepository(state, repository), outbox.write(events)]);
        await putManifestDocument(state, accepted, exchange.principal?.name);
        await settleAll(events.map((event) => moveTag(state, event)));
      } catch (error) {
        await outbox.settle(events);
        throw error;
      }
      outbox.deliver(events);
    }),
  );
}

function eventsOf(rooms: ManifestRooms, exchange: Exchange, accepted: Accepted): PushEvent[] {
  const { repository, digest, bytes, parsed, tags } = accepted;
  const record = { digest, mediaType: parsed.mediaType, size: bytes.length };
  const one = (tag?: Tag): PushEvent => {
    const previous = tag === undefined ? undefined : rooms.state.index.repository(repository)?.tag(tag)?.digest;
    return {
      ...eventOf(rooms, exchange, { repository, reference: digest }, record),
      kind: 'push',
      ...(tag !== undefined && { tag }),
      ...(previous !== undefined && { previousDigest: previous }),
      ...(parsed.subject !== undefined && { subject: parsed.subject }),
    };
  };
  return tags.length === 0 ? [one()] : tags.map(one);
}

async function storeContent(state: RegistryState, { digest, bytes }: Accepted): Promise<void> {
  const found = await statContent(state, digest);
  if (found?.size !== bytes.length) await state.storage.put(contentKey(digest), bytes);
  state.manifestBytes.set(digest, bytes);
}

async function ensureRepository(state: RegistryState, name: RepositoryName): Promise<void> {
  const entry = state.index.entry(name);
  if (entry.exists) return;
  const document: RepositoryDocument = { version: 1, name, createdTime: timeOf(state) };
  await putDocument(state.storage, repositoryKey(name), document, true);
}

async function putManifestDocument(state: RegistryState, accepted: Accepted, by: string | undefined): Promise<void> {
  const { repository, digest, bytes, parsed } = accepted;
  const entry = state.index.entry(repository);
  const now = timeOf(state);
  const document: ManifestDocument = {
    ...{ version: 1, digest, size: bytes.length, ...parsed },
    ...{ createdTime: entry.manifests.get(digest)?.createdTime ?? now, updatedTime: now },
    ...(by !== undefined && { pushedBy: by }),
  };
  await putDocument(state.storage, manifestKey(repository, digest), document);
  entry.setManifest(recordOf(document));
  entry.exists = true;
}

async function moveTag(state: RegistryState, event: PushEvent): Promise<void> {
  const { repository, tag, digest, at, by, id } = event;
  if (tag === undefined) return;
  const entry = state.index.entry(repository);
  const key = tagKey(repository, tag);
  const isKnown = entry.tag(tag) !== undefined;
  const before = isKnown ? await readDocument<TagDocument>(state.storage, key, state.reportDamage) : undefined;
  const move: TagMove = { digest, time: at, event: id, ...(by !== undefined && { by }) };
  const history = [move, ...(before?.history ?? [])].slice(0, historyLength);
  const record = { digest, createdTime: before?.createdTime ?? at, updatedTime: at };
  const document: TagDocument = { version: 1, name: tag, ...record, history };
  await putDocument(state.storage, key, document);
  entry.setTag(tag, record);
}

/** Refuses a manifest whose parts are not there, naming all of them; foreign layers may be anywhere, and a subject may follow later. */
async function refuseMissing(
  state: RegistryState,
  repository: RepositoryName,
  references: readonly ManifestReference[],
): Promise<void> {
  const manifests = state.index.repository(repository)?.manifests;
  const asked = new Map(references.filter(({ foreign }) => foreign !== true).map((each) => [each.digest, each]));
  const checks = [...asked.values()].map(async ({ digest, kind }) => {
    const isManifest = kind === 'manifest' && manifests?.has(digest) === true;
    return isManifest || (await holdsBlob(state, repository, digest)) ? [] : [digest];
  });
  const missing = (await Promise.all(checks)).flat();
  if (missing.length === 0) return;
  const message = 'the manifest names something that this repository does not have';
  throw new OciError(
    missing.map((digest) => ({ code: 'MANIFEST_BLOB_UNKNOWN', message, detail: { digest } })),
    404,
  );
}

function parseTags(exchange: Exchange, reference: string): Tag[] {
  const asked = isDigest(reference) ? exchange.query.getAll('tag') : [reference];
  if (!isDigest(reference) && reference.includes(':')) {
    throw oci('DIGEST_INVALID', `"${reference.slice(0, 160)}" is no sha256 or sha512 digest`);
  }
  if (asked.length > 100)
    throw oci('MANIFEST_INVALID', 'a manifest can be given at most 100 tags at once', { status: 414 });
  return [...new Set(asked)].map((tag) => {
    if (isTag(tag)) return tag;
    throw oci('MANIFEST_INVALID', `"${tag.slice(0, 160)}" cannot be a tag`);
  });
}

/** The digest of the bytes, by the algorithm of the digest in the path if there is one; throws DIGEST_INVALID when they differ. */
function digestOf(bytes: Buffer, reference: string): Digest {
  const algorithm = isDigest(reference) ? splitDigest(reference).algorithm : 'sha256';
  const actual = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
  if (!isDigest(reference) || reference === actual) return actual;
  throw oci('DIGEST_INVALID', 'the manifest that arrived has another digest', {
    detail: { expected: reference, actual },
  });
}

async function readWhole(exchange: Exchange, maxBytes: number): Promise<Buffer> {
  const tooLarge = (): Error =>
    oci('SIZE_INVALID', `a manifest may have at most ${String(maxBytes)} bytes`, { status: 413 });
  if ((announcedLength(exchange.req) ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readBody(exchange)) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
