import { isDigest, splitDigest, type Digest, type DigestAlgorithm } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/image-reference.ts';
import type { Access } from './access.ts';
import { linkBlob, statContent } from './blobs.ts';
import { oci, OciError } from './errors.ts';
import { announcedLength, hasBody, readBody, sendEmpty, type Exchange } from './exchange.ts';
import { contentKey } from './layout.ts';
import { parseContentRange } from './ranges.ts';
import { verifyDigest, type Session } from './session.ts';
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
  const mounted = await mountBlob(rooms, exchange, repository);
  if (mounted !== undefined) {
    created(exchange, repository, mounted);
    return;
  }
  const whole = exchange.query.get('mount') === null ? exchange.query.get('digest') : null;
  const digest = whole === null ? undefined : parseUploadDigest(whole);
  const algorithm = digest === undefined ? askedAlgorithm(exchange) : splitDigest(digest).algorithm;
  refuseTooLong(rooms, exchange, 0);
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
    refuseTooLong(rooms, exchange, session.upload.offset);
    await settleAll([rooms.sessions.keep(session), session.append(readBody(exchange), rooms.state.limits.blobBytes)]);
    accepted(exchange, session);
  });
}

/** PUT: appends what comes, checks the digest of all of it, and makes it a blob of the repository. */
export function closeUpload(rooms: UploadRooms, exchange: Exchange, at: SessionAddress): Promise<void> {
  return rooms.sessions.hold(at.id, ownerOf(exchange, at.repository), async (session) => {
    const digest = parseUploadDigest(exchange.query.get('digest') ?? '');
    if (hasBody(exchange.req)) {
      refuseOutOfOrder(exchange, session);
      refuseTooLong(rooms, exchange, session.upload.offset);
      await session.append(readBody(exchange), rooms.state.limits.blobBytes);
    }
    try {
      await finish(rooms, exchange, session, digest);
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

async function finish(rooms: UploadRooms, exchange: Exchange, session: Session, digest: Digest): Promise<void> {
  const { repository } = session.document;
  await verifyDigest(session, digest);
  const size = session.upload.offset;
  // The link may reach the disk before the bytes: a link without bytes counts as no blob (statContent), and heals.
  await settleAll([
    session.upload.commit(contentKey(digest)),
    linkBlob(rooms.state, repository, { digest, size, by: exchange.principal?.name }),
  ]);
  rooms.state.index.entry(repository).blobs.add(digest);
  created(exchange, repository, digest);
}

/** Links a blob of another repository that the caller may read; undefined: there is none, upload it. */
async function mountBlob(rooms: UploadRooms, exchange: Exchange, to: RepositoryName): Promise<Digest | undefined> {
  const { state, access } = rooms;
  const digest = exchange.query.get('mount');
  if (digest === null || !isDigest(digest)) return undefined;
  const named = exchange.query.get('from');
  const holders = [...state.index.holdersOf(digest)].filter((holder) => named === null || holder === named);
  const from = holders.find((holder) => access.allows(exchange.principal, holder, 'pull'));
  const found = from === undefined ? undefined : await statContent(state, digest);
  if (from === undefined || found === undefined) return undefined;
  await linkBlob(state, to, { digest, size: found.size, by: exchange.principal?.name, from });
  state.index.entry(to).blobs.add(digest);
  return digest;
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
  if (start === undefined || start === session.upload.offset) return;
  throw oci('BLOB_UPLOAD_INVALID', `the next byte of this upload is ${String(session.upload.offset)}`, {
    status: 416,
    headers: sessionHeaders(session),
  });
}

function refuseTooLong(rooms: UploadRooms, exchange: Exchange, offset: number): void {
  const { blobBytes } = rooms.state.limits;
  if (offset + (announcedLength(exchange.req) ?? 0) <= blobBytes) return;
  throw oci('SIZE_INVALID', `a blob may have at most ${String(blobBytes)} bytes`, { status: 413 });
}

function sessionHeaders(session: Session): Record<string, string> {
  const { id, repository } = session.document;
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${String(Math.max(0, session.upload.offset - 1))}`,
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
