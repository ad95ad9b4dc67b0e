import { createHash } from 'node:crypto';
import { isDigest, splitDigest, type Digest } from '../domain/digest.ts';
import type { PushEvent, QuarantineEvent } from '../domain/event.ts';
import { isTag, type RepositoryName, type Tag } from '../domain/image-reference.ts';
import type { Access } from './access/access.ts';
import { statContent } from './blobs.ts';
import type { Change } from './changes.ts';
import { refuseUnmet } from './conditions.ts';
import { oci, OciError } from './errors.ts';
import { announcedLength, readBody, sendEmpty, type Exchange } from './exchange.ts';
import { commitHolding, referenceTouch, repositoryTouch } from './holding.ts';
import type { Decision } from './ledger.ts';
import { refuseLockedPush, refuseLockedTag } from './locks.ts';
import { inlineBytes } from './manifest-bytes.ts';
import { parseManifest, type ParsedManifest } from './manifest-document.ts';
import { eventOf, type ManifestAddress, type ManifestRooms } from './manifests.ts';
import { isQuarantined, quarantineOnPush } from './policies/quarantine.ts';
import { refuseBeyondQuota } from './policies/quota.ts';
import { quotaTouches } from './policies/quota-touches.ts';
import type { ManifestRecord, TagMove, TagRecord } from './records.ts';
import { timeOf, type RegistryState } from './state.ts';
import type { Touches } from './touches.ts';

/** Moves of a tag that its record remembers. */
const historyLength = 16;

/** What pushing works on. */
export interface PushRooms extends ManifestRooms {
  readonly access: Pick<Access, 'demand'>;
}

/** A manifest that was received and found good. */
interface Accepted {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly parsed: ParsedManifest;
  /** Those that it gets; some that were asked for may keep what they have. */
  readonly tags: readonly Tag[];
}

/** PUT of a manifest, by tag, or by digest with any number of `?tag=` (distribution-spec 1.2). */
export async function putManifest(rooms: PushRooms, exchange: Exchange, at: ManifestAddress): Promise<void> {
  const { state } = rooms;
  const tags = parseTags(exchange, at.reference);
  const bytes = await readWhole(exchange, state.limits.manifestBytes);
  const digest = digestOf(bytes, at.reference);
  const parsed = parseManifest(bytes, exchange.req.headers['content-type'], state.limits.jsonDepth);
  const accepted: Accepted = { repository: at.repository, digest, bytes, parsed, tags };
  const lost = await findLost(state, accepted);
  refuseMissing(state, accepted, lost);
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
  const { repository, digest, bytes, tags } = accepted;
  const entry = state.index.repository(repository);
  const before = tags.flatMap((tag) => {
    const found = entry?.tag(tag)?.digest;
    return found === undefined || found === digest ? [] : [{ tag, found }];
  });
  if (before.length === 0) return [];
  await state.manifestBytes.place(digest, bytes);
  const same: Tag[] = [];
  for (const { tag, found } of before) if (await state.isSameImage(found, digest)) same.push(tag);
  return same;
}

/**
 * Makes a manifest visible, with its tags and the events that tell of it, by one commit. A small one goes into the journal with its bytes;
 * the bytes of a large one are in the store before.
 */
async function commit(rooms: PushRooms, exchange: Exchange, accepted: Accepted): Promise<void> {
  const { state } = rooms;
  const { digest, bytes } = accepted;
  const isInline = bytes.length <= inlineBytes;
  if (!isInline) await state.manifestBytes.place(digest, bytes);
  const inline = isInline ? bytes.toString('base64') : undefined;
  const decide = (): Decision<undefined> => decidePush(rooms, exchange, accepted, inline);
  await commitHolding(state, digest, decide, touchesOf(state, accepted));
  if (isInline) await state.manifestBytes.placeSoon();
  // A collector may have removed them before they were held; when they are there, this is one look.
  else await state.manifestBytes.place(digest, bytes);
}

function touchesOf(state: RegistryState, { repository, digest, bytes, parsed, tags }: Accepted): Touches {
  const quota = quotaTouches(state, { repository, bytes: bytes.length, digest });
  const named = parsed.references.map((one) => referenceTouch(repository, one.digest));
  const set = [digest, ...tags].map((reference) => referenceTouch(repository, reference));
  return { shared: [repositoryTouch(repository), ...named, ...quota.shared], own: [...set, ...quota.own] };
}

function decidePush(
  rooms: PushRooms,
  exchange: Exchange,
  accepted: Accepted,
  inline: string | undefined,
): Decision<undefined> {
  const { state } = rooms;
  const { repository, digest, tags } = accepted;
  const contents = state.index.repository(repository);
  refuseForbidden(rooms, exchange, accepted);
  refuseMissing(state, accepted, []);
  refuseBeyondQuota(state, { repository, bytes: accepted.bytes.length, digest });
  const now = timeOf(state);
  const by = exchange.principal?.name;
  const record = recordAfter(state, accepted, { now, by });
  const changes: Change[] = [
    ...(contents?.exists === true
      ? []
      : [{ is: 'repository', repository, record: { createdTime: now, updatedTime: now } } as const]),
    { is: 'manifest', repository, digest, record, ...(inline !== undefined && { bytes: inline }) },
    ...(contents?.deleted.has(digest) === true ? [{ is: 'deleted', repository, digest } as const] : []),
    ...tags.map((tag) => moveOf(contents?.tag(tag), { repository, tag, digest, now }, by)),
    ...eventsOf(rooms, exchange, accepted)
      .map((event) => (isQuarantined(record) ? quarantined(event) : event))
      .map((event): Change => ({ is: 'event', id: event.id, record: event })),
  ];
  return { changes, result: undefined };
}

/** A manifest's record after its push, its quarantine with it. */
function recordAfter(
  state: RegistryState,
  accepted: Accepted,
  { now, by }: { readonly now: string; readonly by: string | undefined },
): ManifestRecord {
  const contents = state.index.repository(accepted.repository);
  const before = contents?.manifests.get(accepted.digest);
  const known = before ?? contents?.deleted.get(accepted.digest)?.manifest;
  const quarantine = quarantineOnPush(state, accepted, known);
  return { ...recordOf(accepted, before, now, by), ...(quarantine !== undefined && { quarantine }) };
}

function recordOf(
  { digest, bytes, parsed }: Accepted,
  before: ManifestRecord | undefined,
  now: string,
  by: string | undefined,
): ManifestRecord {
  const { attributes, quarantineDetails } = before ?? {};
  return {
    ...{ digest, size: bytes.length, ...parsed },
    ...{ createdTime: before?.createdTime ?? now, updatedTime: now },
    ...(by !== undefined && { pushedBy: by }),
    ...(attributes !== undefined && { attributes }),
    ...(quarantineDetails !== undefined && { quarantineDetails }),
  };
}

function moveOf(
  before: TagRecord | undefined,
  { repository, tag, digest, now }: { repository: RepositoryName; tag: Tag; digest: Digest; now: string },
  by: string | undefined,
): Change {
  const record: TagRecord = {
    ...{ digest, createdTime: before?.createdTime ?? now, updatedTime: now },
    history: before === undefined ? [] : historyAfter(before, digest),
    ...(before?.attributes !== undefined && { attributes: before.attributes }),
    ...(by !== undefined && { by }),
  };
  return { is: 'tag', repository, tag, record, at: now };
}

/** Where a tag has been, when it moves on to `digest`. */
function historyAfter({ digest: left, updatedTime, by, history }: TagRecord, digest: Digest): readonly TagMove[] {
  if (left === digest) return history;
  return [{ digest: left, time: updatedTime, ...(by !== undefined && { by }) }, ...history].slice(0, historyLength);
}

/** What is told instead of a push that nobody may pull. */
function quarantined({ previousDigest: _, ...event }: PushEvent): QuarantineEvent {
  return { ...event, kind: 'quarantine' };
}

function eventsOf(rooms: PushRooms, exchange: Exchange, accepted: Accepted): PushEvent[] {
  const { repository, digest, bytes, parsed, tags } = accepted;
  const record = { ...parsed, digest, size: bytes.length };
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

/** What rights, locks and the request's own conditions forbid. */
function refuseForbidden(
  { state, access }: PushRooms,
  exchange: Exchange,
  { repository, digest, tags }: Accepted,
): void {
  const contents = state.index.repository(repository);
  refuseLockedPush(repository, contents);
  for (const tag of tags) {
    const current = contents?.tag(tag)?.digest;
    refuseLockedTag(repository, contents, tag);
    if (current !== undefined && current !== digest) access.demand(exchange, repository, 'overwrite');
    refuseUnmet(exchange, `${repository}:${tag}`, current);
  }
  if (tags.length === 0) refuseUnmet(exchange, `${repository}@${digest}`, contents?.manifests.get(digest)?.digest);
}

/** The references whose bytes the store has lost, though the repository holds them; what was there seconds ago is not asked for again. */
async function findLost(state: RegistryState, { repository, parsed }: Accepted): Promise<Digest[]> {
  const blobs = state.index.repository(repository)?.blobs;
  const asked = new Set(
    parsed.references.filter(({ digest }) => blobs?.has(digest) === true).map(({ digest }) => digest),
  );
  const found = [...asked].map(async (digest) => {
    if (state.seenContents.has(digest)) return [];
    if ((await statContent(state, digest)) === undefined) return [digest];
    state.seenContents.set(digest, true);
    return [];
  });
  return (await Promise.all(found)).flat();
}

/** Refuses a manifest whose parts are not there, naming all of them; foreign layers may be anywhere, and a subject may follow later. */
function refuseMissing(state: RegistryState, { repository, parsed }: Accepted, lost: readonly Digest[]): void {
  const contents = state.index.repository(repository);
  const asked = new Map(parsed.references.filter(({ foreign }) => foreign !== true).map((each) => [each.digest, each]));
  const missing = [...asked.values()].filter(({ digest, kind }) => {
    if (kind === 'manifest' && contents?.manifests.has(digest) === true) return false;
    return contents?.blobs.has(digest) !== true || lost.includes(digest);
  });
  if (missing.length === 0) return;
  const message = 'the manifest names something that this repository does not have';
  throw new OciError(
    missing.map(({ digest }) => ({ code: 'MANIFEST_BLOB_UNKNOWN', message, detail: { digest } })),
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
