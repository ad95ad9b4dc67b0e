import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isDigest, splitDigest, type Digest, type DigestAlgorithm } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/image-reference.ts';
import type { Access } from './access/access.ts';
import { linkBlob, statContent, type BlobOrigin } from './blobs.ts';
import { oci, OciError } from './errors.ts';
import { announcedLength, hasBody, readBody, sendEmpty, type Exchange } from './exchange.ts';
import { linkAndPlace } from './holding.ts';
import { contentKey } from './layout.ts';
import { mayRead, refuseLockedPush } from './locks.ts';
import { inlineBlobBytes } from './manifest-bytes.ts';
import { refuseBeyondQuota, refuseWithoutRoom } from './policies/quota.ts';
import { parseContentRange } from './ranges.ts';
import { demandDigest, type Session } from './session.ts';
import type { SessionOwner, Sessions } from './sessions.ts';
import { settleAll } from './settle.ts';
import type { RegistryState } from './state.ts';

/** What the upload handlers work on. */
export interface UploadRooms {
  readonly state: RegistryState;
  readonly sessions: Sessions;
  readonly access: Access;
}

/** POST `…/blobs/uploads/`: mounts a blob, takes one whole, or begins a session. */
export async function startUpload(rooms: UploadRooms, exchange: Exchange, repository: RepositoryName): Promise<void> {
  refuseLockedPush(repository, rooms.state.index.repository(repository));
  const mounted = await mountBlob(rooms, exchange, repository);
  if (mounted !== undefined) {
    created(exchange, repository, mounted);
    return;
  }
  const whole = exchange.query.get('mount') === null ? exchange.query.get('digest') : null;
  const digest = whole === null ? undefined : parseUploadDigest(whole);
  const algorithm = digest === undefined ? askedAlgorithm(exchange) : splitDigest(digest).algorithm;
  refuseTooLong(rooms, exchange, 0);
  await refuseUpload(rooms, exchange, { repository, offset: 0, digest });
  if (digest !== undefined && isSmall(exchange.req)) {
    await takeSmall(rooms, exchange, repository, digest);
    return;
  }
  const session = await rooms.sessions.begin(ownerOf(exchange, repository), algorithm);
  if (digest === undefined) {
    accepted(exchange, session);
    return;
  }
  await rooms.sessions.hold(session.document.id, ownerOf(exchange, repository), async () => {
    try {
      await session.append(readBody(exchange), rooms.state.limits.blobBytes);
      await finish(rooms, exchange, session, digest);
    } finally {
      await rooms.sessions.end(session); // one request is all that such a session has
    }
  });
}

/** PATCH: appends a chunk. */
export function continueUpload(rooms: UploadRooms, exchange: Exchange, at: SessionAddress): Promise<void> {
  return rooms.sessions.hold(at.id, ownerOf(exchange, at.repository), async (session) => {
    refuseOutOfOrder(exchange, session);
    refuseTooLong(rooms, exchange, session.offset);
    await refuseUpload(rooms, exchange, { repository: at.repository, offset: session.offset, digest: undefined });
    await settleAll([rooms.sessions.keep(session), session.append(readBody(exchange), rooms.state.limits.blobBytes)]);
    if (rooms.state.ledger.isShared) await session.release(); // the next request may reach another process
    accepted(exchange, session);
  });
}

/** PUT: appends what comes, checks the digest of all of it, and makes it a blob of the repository. */
export function closeUpload(rooms: UploadRooms, exchange: Exchange, at: SessionAddress): Promise<void> {
  return rooms.sessions.hold(at.id, ownerOf(exchange, at.repository), async (session) => {
    const digest = parseUploadDigest(exchange.query.get('digest') ?? '');
    const withBody = hasBody(exchange.req);
    if (withBody) {
      refuseOutOfOrder(exchange, session);
      refuseTooLong(rooms, exchange, session.offset);
      await refuseUpload(rooms, exchange, { repository: at.repository, offset: session.offset, digest });
    }
    const isWhole = withBody && session.offset === 0 && isSmall(exchange.req);
    if (withBody && !isWhole) await session.append(readBody(exchange), rooms.state.limits.blobBytes);
    try {
      if (isWhole) await takeSmall(rooms, exchange, at.repository, digest);
      else await finish(rooms, exchange, session, digest);
    } catch (error) {
      if (error instanceof OciError) await rooms.sessions.end(session); // the bytes are wrong for good
      throw error;
    }
    await rooms.sessions.end(session);
  });
}

/** GET: how much has arrived. */
export function showUpload(rooms: UploadRooms, exchange: Exchange, at: SessionAddress): Promise<void> {
  return rooms.sessions.hold(at.id, ownerOf(exchange, at.repository), (session) => {
    sendEmpty(exchange, 204, sessionHeaders(session));
    return Promise.resolve();
  });
}

/** DELETE: gives the upload up. */
export function cancelUpload(rooms: UploadRooms, exchange: Exchange, at: SessionAddress): Promise<void> {
  return rooms.sessions.hold(at.id, ownerOf(exchange, at.repository), async (session) => {
    await rooms.sessions.end(session);
    sendEmpty(exchange, 204);
  });
}

export interface SessionAddress {
  readonly repository: RepositoryName;
  readonly id: string;
}

/** Blobs up to this size are held in memory while they arrive, and written once. */
const smallBlobBytes = 256 * 1024;

function isSmall(req: IncomingMessage): boolean {
  const length = announcedLength(req);
  return length !== undefined && length <= smallBlobBytes;
}

/** A whole blob in one body. */
async function takeSmall(
  rooms: UploadRooms,
  exchange: Exchange,
  repository: RepositoryName,
  digest: Digest,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of readBody(exchange)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const { algorithm } = splitDigest(digest);
  demandDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`, digest);
  const blob = { repository, digest, size: bytes.length };
  const isThere = (await statContent(rooms.state, digest))?.size === bytes.length;
  if (isThere || bytes.length > inlineBlobBytes) {
    await keepBlob(rooms, exchange, blob, async () => {
      // A collector may have taken them while the link waited.
      if (isThere && (await statContent(rooms.state, digest))?.size === bytes.length) return;
      await rooms.state.storage.put(contentKey(digest), bytes);
    });
    return;
  }
  await linkBlob(rooms.state, { ...blob, bytes, by: exchange.principal?.name });
  await rooms.state.manifestBytes.placeSoon();
  created(exchange, repository, digest);
}

async function finish(rooms: UploadRooms, exchange: Exchange, session: Session, digest: Digest): Promise<void> {
  demandDigest(await session.digest(splitDigest(digest).algorithm), digest);
  const { repository } = session.document;
  await keepBlob(rooms, exchange, { repository, digest, size: session.offset }, async () => {
    if (await session.commit(contentKey(digest))) return;
    // Nobody held them since the request that failed: a collector may have taken them.
    if ((await statContent(rooms.state, digest)) === undefined)
      throw oci('BLOB_UPLOAD_UNKNOWN', 'this upload is over; begin again');
  });
}

/** A link without bytes counts as no blob (statContent), and heals with the next push. */
async function keepBlob(
  { state }: UploadRooms,
  exchange: Exchange,
  blob: Pick<BlobOrigin, 'repository' | 'digest' | 'size'>,
  place: () => Promise<void>,
): Promise<void> {
  await linkAndPlace(state, blob.digest, () => linkBlob(state, { ...blob, by: exchange.principal?.name }), place);
  created(exchange, blob.repository, blob.digest);
}

/** Links a blob of another repository that the caller may read; undefined: there is none, upload it. */
async function mountBlob(rooms: UploadRooms, exchange: Exchange, to: RepositoryName): Promise<Digest | undefined> {
  const { state, access } = rooms;
  const digest = exchange.query.get('mount');
  if (digest === null || !isDigest(digest)) return undefined;
  const named = exchange.query.get('from');
  const isBlob = (holder: string): boolean => {
    const contents = state.index.repository(holder);
    return mayRead(contents) && contents?.blobs.has(digest) === true;
  };
  const holders = [...state.index.holdersOf(digest)].filter((one) => (named === null || one === named) && isBlob(one));
  const from = holders.find((holder) => access.allows(exchange.principal, holder, 'pull')) as
    RepositoryName | undefined;
  const found = from === undefined ? undefined : await statContent(state, digest);
  if (from === undefined || found === undefined) return undefined;
  await linkBlob(state, { repository: to, digest, size: found.size, by: exchange.principal?.name, from });
  // Its bytes were there before it was linked; a collector may have taken them in between.
  return (await statContent(state, digest)) === undefined ? undefined : digest;
}

function parseUploadDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw oci('DIGEST_INVALID', `"${text.slice(0, 160)}" is no sha256 or sha512 digest`);
}

/** The algorithm that a client announces so that the server hashes with it while the bytes arrive (distribution-spec 1.2). */
function askedAlgorithm(exchange: Exchange): DigestAlgorithm {
  const asked = exchange.query.get('digest-algorithm') ?? 'sha256';
  if (asked === 'sha256' || asked === 'sha512') return asked;
  throw oci('DIGEST_INVALID', `"${asked.slice(0, 40)}" is no digest algorithm of this registry`);
}

function ownerOf(exchange: Exchange, repository: RepositoryName): SessionOwner {
  return { repository, by: exchange.principal?.name };
}

function refuseOutOfOrder(exchange: Exchange, session: Session): void {
  const start = parseContentRange(exchange.req.headers['content-range'], announcedLength(exchange.req));
  if (start === undefined || start === session.offset) return;
  throw oci('BLOB_UPLOAD_INVALID', `the next byte of this upload is ${String(session.offset)}`, {
    status: 416,
    headers: sessionHeaders(session),
  });
}

function refuseTooLong(rooms: UploadRooms, exchange: Exchange, offset: number): void {
  const { blobBytes } = rooms.state.limits;
  if (offset + (announcedLength(exchange.req) ?? 0) <= blobBytes) return;
  throw oci('SIZE_INVALID', `a blob may have at most ${String(blobBytes)} bytes`, { status: 413 });
}

/** Throws DENIED for what would be more than may be held, and UNAVAILABLE where there is no room for it; see policies/quota.ts. */
async function refuseUpload(
  { state }: UploadRooms,
  exchange: Exchange,
  {
    repository,
    offset,
    digest,
  }: { readonly repository: string; readonly offset: number; readonly digest: Digest | undefined },
): Promise<void> {
  const length = announcedLength(exchange.req) ?? 0;
  // How much will come is often not said; that something will is certain.
  const bytes = Math.max(1, offset + length);
  refuseBeyondQuota(state, repository, [{ bytes, ...(digest !== undefined && { digest }) }]);
  await refuseWithoutRoom(state, length);
}

function sessionHeaders(session: Session): Record<string, string> {
  const { id, repository } = session.document;
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${String(Math.max(0, session.offset - 1))}`,
    'docker-upload-uuid': id,
  };
}

function accepted(exchange: Exchange, session: Session): void {
  sendEmpty(exchange, 202, sessionHeaders(session));
}

function created(exchange: Exchange, repository: RepositoryName, digest: Digest): void {
  const location = `/v2/${repository}/blobs/${digest}`;
  sendEmpty(exchange, 201, { location, 'docker-content-digest': digest });
}
