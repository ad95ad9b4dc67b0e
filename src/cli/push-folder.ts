import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { fail } from '../domain/failure.ts';
import type { Account } from '../secret/account.ts';
import { packDirectory } from '../source/pack.ts';
import { failureOfConnection } from './api-errors.ts';
import type { Folder } from './context.ts';
import { putStream } from './put-stream.ts';

/** Where a folder goes. */
export interface PushTarget {
  /** The server, under which its registry answers too. */
  readonly server: string;
  readonly account: Account | undefined;
  readonly repository: string;
  readonly tag: string;
}

/** What was pushed. */
export interface PushedFolder {
  /** Of its manifest; the same folder has the same. */
  readonly digest: string;
  /** Bytes, compressed. */
  readonly size: number;
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
/** The configuration of an artifact that has none (OCI image-spec, "Guidance for an Empty Descriptor"). */
const empty = { mediaType: 'application/vnd.oci.empty.v1+json', text: '{}' };

interface Packed {
  readonly file: string;
  readonly digest: string;
  readonly size: number;
  /** Of the archive before it was compressed. */
  readonly contentDigest: string;
}

function digestOf(hash: Hash): string {
  return `sha256:${hash.digest('hex')}`;
}

/** Counts and hashes what passes. */
function createTap() {
  const hash = createHash('sha256');
  const tap = { hash, size: 0 };
  const pass = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      tap.size += chunk.length;
      yield chunk;
    }
  };
  return { tap, pass };
}

async function packFolder({ root, dockerfile }: Folder, directory: string, signal: AbortSignal): Promise<Packed> {
  const file = join(directory, 'layer');
  const { stream } = await packDirectory(root, {
    kind: 'upload',
    signal,
    ...(dockerfile !== undefined && { dockerfile }),
  });
  const [plain, packed] = [createTap(), createTap()];
  await pipeline(stream, plain.pass, createGzip({ level: 1 }), packed.pass, createWriteStream(file), { signal });
  const { hash, size } = packed.tap;
  return { file, digest: digestOf(hash), size, contentDigest: digestOf(plain.tap.hash) };
}

/** A manifest as ORAS writes it of a folder, so that its clients unpack it. */
function manifestOf({ digest, size, contentDigest }: Packed): string {
  const config = { mediaType: empty.mediaType, digest: digestOf(createHash('sha256').update(empty.text)), size: 2 };
  const annotations = {
    'org.opencontainers.image.title': '.',
    'io.deis.oras.content.digest': contentDigest,
    'io.deis.oras.content.unpack': 'true',
  };
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    artifactType: 'application/vnd.slipway.context.v1',
    config,
    layers: [{ mediaType, digest, size, annotations }],
  });
}

function headersOf({ account }: PushTarget): Record<string, string> {
  if (account === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${account.username}:${account.password}`).toString('base64')}` };
}

function refusal({ server }: PushTarget, status: number): Error {
  if (status === 401 || status === 403)
    return fail('unauthenticated', `the registry at ${server} refuses the login`, { hint: 'slipway login' });
  return fail('server-unreachable', `the registry at ${server} answered with status ${String(status)}`);
}

/** Sends one request; any status but those expected is a failure. */
async function send(
  target: PushTarget,
  path: string,
  init: RequestInit,
  expected: readonly number[],
): Promise<Response> {
  const url = `${target.server}/v2/${target.repository}/${path}`;
  const headers = { ...headersOf(target), ...(init.headers as Record<string, string> | undefined) };
  const answer = await fetch(url, { ...init, headers, redirect: 'manual' }).catch((error: unknown) => {
    init.signal?.throwIfAborted();
    throw failureOfConnection(target.server, error);
  });
  await answer.arrayBuffer();
  if (expected.includes(answer.status)) return answer;
  throw refusal(target, answer.status);
}

async function pushLayer(target: PushTarget, { file, digest }: Packed, signal: AbortSignal): Promise<void> {
  const known = await send(target, `blobs/${digest}`, { method: 'HEAD', signal }, [200, 404]);
  if (known.status === 200) return;
  const begun = await send(target, 'blobs/uploads/', { method: 'POST', signal }, [202]);
  const found = new URL(begun.headers.get('location') ?? '', target.server);
  // The registry may know itself by another name than the one that it is reached by.
  const session = new URL(`${found.pathname}${found.search}`, target.server);
  session.searchParams.set('digest', digest);
  await putStream(target.server, session.href, createReadStream(file), { signal, headers: headersOf(target) });
}

async function pushArtifact(target: PushTarget, packed: Packed, signal: AbortSignal): Promise<string> {
  await pushLayer(target, packed, signal);
  const config = digestOf(createHash('sha256').update(empty.text));
  const post = { method: 'POST', body: empty.text, headers: { 'content-type': 'application/octet-stream' }, signal };
  await send(target, `blobs/uploads/?digest=${config}`, post, [201]);
  const body = manifestOf(packed);
  const put = { method: 'PUT', body, headers: { 'content-type': manifestType }, signal };
  await send(target, `manifests/${target.tag}`, put, [201]);
  return digestOf(createHash('sha256').update(body));
}

/**
 * Packs a folder as a context is packed (`.dockerignore` counts) and pushes it as an artifact of one layer.
 * @throws `invalid-request` and `invalid-context` for a folder that cannot be packed, `unauthenticated`, `server-unreachable`; the
 * signal's reason.
 */
export async function pushFolder(target: PushTarget, folder: Folder, signal: AbortSignal): Promise<PushedFolder> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-push-'));
  try {
    const packed = await packFolder(folder, directory, signal);
    return { digest: await pushArtifact(target, packed, signal), size: packed.size };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
