import type { BlobStat } from '../blob/ports.ts';
import { isDigest, type Digest } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/image-reference.ts';
import { isKnownToClient } from './conditions.ts';
import { oci } from './errors.ts';
import { sendEmpty, type Exchange } from './exchange.ts';
import { commitHolding, referenceTouch, repositoryTouch } from './holding.ts';
import { contentKey } from './layout.ts';
import { refuseLockedDelete, refuseLockedPush, refuseLockedRead } from './locks.ts';
import { refuseBeyondQuota } from './policies/quota.ts';
import { quotaTouches } from './policies/quota-touches.ts';
import { parseRange } from './ranges.ts';
import type { BlobRecord } from './records.ts';
import { timeOf, type RegistryState } from './state.ts';

/** Blobs up to this size are sent with one read and one write. */
const smallBlobBytes = 256 * 1024;

/** Where a blob comes from. */
export interface BlobOrigin {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly size: number;
  readonly by: string | undefined;
  readonly from?: RepositoryName;
  /** Only if the repository has it still. */
  readonly mustBeKnown?: true;
  /** Its bytes, when they are few and the store does not have them. */
  readonly bytes?: Buffer;
}

/** How old a record of a blob may get, at most, before it is touched again. */
const touchEveryMs = 60 * 60 * 1000;

/** Makes a blob one of a repository, durably; after that its bytes, when they come to be there, are safe from the collector. */
export async function linkBlob(state: RegistryState, origin: BlobOrigin): Promise<void> {
  const { repository, digest, size, by, from, bytes } = origin;
  const inline = bytes && { bytes: bytes.toString('base64') };
  const record: BlobRecord = {
    ...{ size, touchedTime: timeOf(state) },
    ...(by !== undefined && { pushedBy: by }),
    ...(from !== undefined && { mountedFrom: from }),
  };
  const quota = quotaTouches(state, repository, [{ bytes: size, digest }]);
  const touches = {
    shared: [repositoryTouch(repository), ...quota.shared],
    own: [referenceTouch(repository, digest), ...quota.own],
  };
  await commitHolding(
    state,
    [digest],
    () => {
      const contents = state.index.repository(repository);
      const known = contents?.blobs.get(digest);
      if (known === undefined && origin.mustBeKnown === true) throw unknownBlob(digest);
      if (origin.mustBeKnown !== true) refuseLockedPush(repository, contents);
      if (origin.mustBeKnown !== true) refuseBeyondQuota(state, repository, [{ bytes: size, digest }]);
      const freshMs = Math.min(touchEveryMs, state.collection.graceMs / 4);
      const isFresh =
        bytes === undefined && known?.size === size && state.clock.now() - Date.parse(known.touchedTime) < freshMs;
      return { changes: isFresh ? [] : [{ is: 'blob', repository, digest, record, ...inline }], result: undefined };
    },
    touches,
  );
}

/**
 * Before somebody is told that a blob is there, who may then leave out its upload: keeps it from being collected for as long as a push may take.
 * Blobs that a manifest names are kept by that, and touched when it goes.
 * @throws BLOB_UNKNOWN when it is no blob of the repository any more.
 */
export async function touchBlob(state: RegistryState, repository: RepositoryName, digest: Digest): Promise<void> {
  const contents = state.index.repository(repository);
  const known = contents?.blobs.get(digest);
  if (known === undefined) throw unknownBlob(digest);
  // One that was deleted, and can be had back, may be forgotten at any time.
  if ([...(contents?.usersOf(digest) ?? [])].some((user) => contents?.manifests.has(user) === true)) return;
  await linkBlob(state, { repository, digest, size: known.size, by: known.pushedBy, mustBeKnown: true });
}

/** The stored bytes of a digest, asked of the store each time: "it is there" must never be said of what is lost. */
export async function statContent(state: RegistryState, digest: Digest): Promise<Pick<BlobStat, 'size'> | undefined> {
  const unplaced = state.manifestBytes.unplaced(digest);
  return unplaced === undefined ? state.storage.stat(contentKey(digest)) : { size: unplaced.length };
}

/** GET and HEAD of a blob, in whole or in part. */
export async function sendBlob(
  state: RegistryState,
  exchange: Exchange,
  at: { readonly repository: RepositoryName; readonly digest: string },
): Promise<void> {
  const digest = parseBlobDigest(at.digest);
  const contents = state.index.repository(at.repository);
  // Who pushes asks what is there already; that gives nothing away.
  if (exchange.method !== 'HEAD') refuseLockedRead(at.repository, contents);
  const isLinked = contents?.blobs.has(digest) === true;
  const found = isLinked ? await statContent(state, digest) : undefined;
  if (found === undefined) throw unknownBlob(digest);
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
    'cache-control': 'max-age=31536000, immutable',
  };
  if (exchange.method === 'HEAD') {
    if (exchange.principal !== undefined) await touchBlob(state, at.repository, digest);
    exchange.res.writeHead(200, { ...headers, 'content-length': String(found.size) }).end();
    return;
  }
  if (isKnownToClient(exchange, digest)) {
    sendEmpty(exchange, 304, headers);
    return;
  }
  await sendContent(state, exchange, { digest, size: found.size, headers });
}

/** DELETE of a blob: takes it out of this repository; other repositories keep it. */
export async function deleteBlob(
  state: RegistryState,
  exchange: Exchange,
  at: { readonly repository: RepositoryName; readonly digest: string },
): Promise<void> {
  const digest = parseBlobDigest(at.digest);
  const { repository } = at;
  await state.ledger.commit(
    () => {
      const contents = state.index.repository(repository);
      if (contents?.blobs.has(digest) !== true) throw unknownBlob(digest);
      refuseLockedDelete(repository, contents, digest);
      return { changes: [{ is: 'blob', repository, digest }], result: undefined };
    },
    { shared: [repositoryTouch(repository)], own: [referenceTouch(repository, digest)] },
  );
  sendEmpty(exchange, 202, { 'docker-content-digest': digest });
}

async function sendContent(
  state: RegistryState,
  exchange: Exchange,
  content: { digest: Digest; size: number; headers: Record<string, string> },
): Promise<void> {
  const { digest, size, headers } = content;
  const span = parseRange(exchange.req.headers.range, size);
  const { start, end } = span ?? { start: 0, end: size - 1 };
  const partial = span && { 'content-range': `bytes ${String(start)}-${String(end)}/${String(size)}` };
  const all = { ...headers, ...partial, 'content-length': String(end - start + 1) };
  const status = span === undefined ? 200 : 206;
  if (size <= smallBlobBytes) {
    const bytes = state.manifestBytes.unplaced(digest) ?? (await state.storage.readSmall(contentKey(digest)));
    if (bytes === undefined) throw unknownBlob(digest);
    exchange.res.writeHead(status, all).end(bytes.subarray(start, end + 1));
    return;
  }
  const reading = await state.storage.read(contentKey(digest), { start, end });
  if (reading === undefined) throw unknownBlob(digest);
  exchange.res.writeHead(status, all);
  await reading.sendTo(exchange.res);
}

function parseBlobDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw oci('DIGEST_INVALID', `"${text.slice(0, 160)}" is no sha256 or sha512 digest`);
}

function unknownBlob(digest: Digest): Error {
  return oci('BLOB_UNKNOWN', 'this repository has no such blob', { detail: { digest } });
}
