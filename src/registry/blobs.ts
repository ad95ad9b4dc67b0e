import type { BlobStat } from '../blob/ports.ts';
import { isDigest, type Digest } from '../domain/digest.ts';
import type { RepositoryName } from '../domain/image-reference.ts';
import { putDocument } from './documents.ts';
import { oci } from './errors.ts';
import { sendEmpty, type Exchange } from './exchange.ts';
import { blobLinkKey, contentKey } from './layout.ts';
import { parseRange } from './ranges.ts';
import type { BlobLinkDocument } from './records.ts';
import { timeOf, type RegistryState } from './state.ts';

/** Blobs up to this size are sent with one read and one write. */
const smallBlobBytes = 256 * 1024;

/** Where a blob comes from. */
export interface BlobOrigin {
  readonly digest: Digest;
  readonly size: number;
  readonly by: string | undefined;
  readonly from?: string;
}

/** Writes a blob's membership of a repository. */
export async function linkBlob(state: RegistryState, repository: RepositoryName, origin: BlobOrigin): Promise<void> {
  const { digest, size, by, from } = origin;
  const document: BlobLinkDocument = {
    ...{ version: 1, digest, size, createdTime: timeOf(state) },
    ...(by !== undefined && { pushedBy: by }),
    ...(from !== undefined && { mountedFrom: from }),
  };
  await putDocument(state.storage, blobLinkKey(repository, digest), document);
}

/** The stored bytes of a digest, asked of the store each time: "it is there" must never be said of what is lost. */
export function statContent(state: RegistryState, digest: Digest): Promise<BlobStat | undefined> {
  return state.storage.stat(contentKey(digest));
}

/** Whether a repository holds a blob, bytes included. */
export async function holdsBlob(state: RegistryState, repository: RepositoryName, digest: Digest): Promise<boolean> {
  if (state.index.repository(repository)?.blobs.has(digest) !== true) return false;
  return (await statContent(state, digest)) !== undefined;
}

/** GET and HEAD of a blob, in whole or in part. */
export async function sendBlob(
  state: RegistryState,
  exchange: Exchange,
  at: { readonly repository: RepositoryName; readonly digest: string },
): Promise<void> {
  const digest = parseBlobDigest(at.digest);
  const isLinked = state.index.repository(at.repository)?.blobs.has(digest) === true;
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
    exchange.res.writeHead(200, { ...headers, 'content-length': String(found.size) }).end();
    return;
  }
  if (exchange.req.headers['if-none-match'] === headers.etag) {
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
  const blobs = state.index.repository(at.repository)?.blobs;
  if (blobs?.has(digest) !== true) throw unknownBlob(digest);
  await state.storage.delete(blobLinkKey(at.repository, digest));
  blobs.delete(digest);
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
    const bytes = await state.storage.readSmall(contentKey(digest));
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
