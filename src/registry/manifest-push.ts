import { createHash } from 'node:crypto';
import { isDigest, splitDigest, type Digest } from '../domain/digest.ts';
import type { PushEvent, QuarantineEvent } from '../domain/event.ts';
import { isTag, type RepositoryName, type Tag } from '../domain/image-reference.ts';
import type { Access } from './access/access.ts';
import type { Change } from './changes.ts';
import { refuseUnmet } from './conditions.ts';
import { oci } from './errors.ts';
import { announcedLength, readBody, sendEmpty, type Exchange } from './exchange.ts';
import { commitHolding, referenceTouch, repositoryTouch } from './holding.ts';
import type { Decision } from './ledger.ts';
import { refuseLockedPush, refuseLockedTag } from './locks.ts';
import { inlineBytes } from './manifest-bytes.ts';
import { parseManifest, type ParsedManifest } from './manifest-document.ts';
import { findLost, linksOf, newParts, refuseMissing, refuseUnnamed, type Parts } from './manifest-parts.ts';
import { eventOf, type ManifestAddress, type ManifestRooms } from './manifests.ts';
import { isQuarantined, quarantineOnPush } from './policies/quarantine.ts';
import { refuseBeyondQuota } from './policies/quota.ts';
import { quotaTouches } from './policies/quota-touches.ts';
import type { ManifestRecord, TagMove, TagRecord } from './records.ts';
import { timeOf, type RegistryState } from './state.ts';
import type { Touches } from './touches.ts';
import { openSent } from './whole-image.ts';

/** Moves of a tag that its record remembers. */
const historyLength = 16;

/** What pushing works on. */
export interface PushRooms extends ManifestRooms {
  readonly access: Pick<Access, 'allows' | 'demand'>;
}

/** A manifest that was received and found good. */
interface Accepted {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly parsed: ParsedManifest;
  readonly parts: Parts;
  /** Those that it gets; some that were asked for may keep what they have. */
  readonly tags: readonly Tag[];
}

/** PUT of a manifest, by tag, or by digest with any number of `?tag=` (distribution-spec 1.2). */
export async function putManifest(rooms: PushRooms, exchange: Exchange, at: ManifestAddress): Promise<void> {
  const { state } = rooms;
  const tags = parseTags(exchange, at.reference);
  const accepted: Accepted = { ...(await receive(rooms, exchange, at)), tags };
  const { digest, parsed, parts } = accepted;
  refuseUnnamed(parts);
  refuseMissing(state, parts, await findLost(state, parts));
  const kept = exchange.principal?.keepsSame === true ? await findSame(state, accepted) : [];
  await commit(rooms, exchange, { ...accepted, tags: tags.filter((tag) => !kept.includes(tag)) });
  sendEmpty(exchange, 201, {
    location: `/v2/${at.repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(parsed.subject !== undefined && { 'oci-subject': parsed.subject }),
    ...(isDigest(at.reference) && tags.length > 0 && { 'oci-tag': tags.join(', ') }),
  });
}

async function receive(
  { state, access }: PushRooms,
  exchange: Exchange,
  { repository, reference }: ManifestAddress,
): Promise<Omit<Accepted, 'tags'>> {
  const { manifestBytes, jsonDepth } = state.limits;
  const sent = await readWhole(exchange, manifestBytes);
  const { bytes, contentType, brought } = openSent(sent, exchange.req.headers['content-type'], jsonDepth);
  const digest = digestOf(bytes, reference);
  const parsed = parseManifest(bytes, contentType, jsonDepth);
  const mayPull = (from: string): boolean => access.allows(exchange.principal, from, 'pull');
  return { repository, digest, bytes, parsed, parts: { repository, references: parsed.references, brought, mayPull } };
}

/** The tags that stand for the same image but for times already; a tag that moves meanwhile is somebody else's newer word. */
async function findSame(state: RegistryState, accepted: Accepted): Promise<Tag[]> {
  const { repository, digest, bytes, tags, parts } = accepted;
  const entry = state.index.repository(repository);
  const before = tags.flatMap((tag) => {
    const found = entry?.tag(tag)?.digest;
    return found === undefined || found === digest ? [] : [{ tag, found }];
  });
  if (before.length === 0) return [];
  const atHand = new Map([...parts.brought.blobs, [digest, bytes]]);
  const same: Tag[] = [];
  for (const { tag, found } of before) if (await state.isSameImage(found, digest, atHand)) same.push(tag);
  return same;
}

/**
 * Makes a manifest visible, with what comes with it, its tags and the events that tell of it, by one commit. A small one goes into the
 * journal with its bytes; the bytes of a large one are in the store before.
 */
async function commit(rooms: PushRooms, exchange: Exchange, accepted: Accepted): Promise<void> {
  const { state } = rooms;
  const { digest, bytes } = accepted;
  const isInline = bytes.length <= inlineBytes;
  if (!isInline) await state.manifestBytes.place(digest, bytes);
  const inline = isInline ? bytes.toString('base64') : undefined;
  const decide = (): Decision<undefined> => decidePush(rooms, exchange, accepted, inline);
  const held = newParts(state, accepted.parts).map((part) => part.digest);
  await commitHolding(state, [digest, ...held], decide, touchesOf(state, accepted));
  if (isInline) await state.manifestBytes.placeSoon();
  // A collector may have removed them before they were held; when they are there, this is one look.
  else await state.manifestBytes.place(digest, bytes);
}

function touchesOf(state: RegistryState, { repository, digest, bytes, parsed, parts, tags }: Accepted): Touches {
  const added = newParts(state, parts);
  const quota = quotaTouches(state, repository, [{ bytes: bytes.length, digest }, ...added]);
  const taken = parts.brought.from.flatMap((from) => [
    repositoryTouch(from),
    ...added.map((part) => referenceTouch(from, part.digest)),
  ]);
  const isAdded = new Set(added.map((part) => part.digest));
  const named = parsed.references.filter((one) => !isAdded.has(one.digest));
  return {
    shared: [
      repositoryTouch(repository),
      ...named.map((one) => referenceTouch(repository, one.digest)),
      ...taken.filter((key) => key !== repositoryTouch(repository)),
      ...quota.shared,
    ],
    own: [...[digest, ...tags, ...isAdded].map((reference) => referenceTouch(repository, reference)), ...quota.own],
  };
}

function decidePush(
  rooms: PushRooms,
  exchange: Exchange,
  accepted: Accepted,
  inline: string | undefined,
): Decision<undefined> {
  const { state } = rooms;
  const { repository, digest, tags, parts } = accepted;
  const contents = state.index.repository(repository);
  refuseForbidden(rooms, exchange, accepted);
  refuseMissing(state, parts, []);
  const added = newParts(state, parts);
  refuseBeyondQuota(state, repository, [{ bytes: accepted.bytes.length, digest }, ...added]);
  const now = timeOf(state);
  const by = exchange.principal?.name;
  const record = recordAfter(state, accepted, { now, by });
  const changes: Change[] = [
    ...(contents?.exists === true
      ? []
      : [{ is: 'repository', repository, record: { createdTime: now, updatedTime: now } } as const]),
    ...linksOf(state, parts, added, by),
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
    refuseLockedTag(repository, contents, { tag, digest });
    if (current !== undefined && current !== digest) access.demand(exchange, repository, 'overwrite');
    refuseUnmet(exchange, `${repository}:${tag}`, current);
  }
  if (tags.length === 0) refuseUnmet(exchange, `${repository}@${digest}`, contents?.manifests.get(digest)?.digest);
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
