import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Digest } from '../domain/digest.ts';
import { fail } from '../domain/failure.ts';
import { folderArtifactType } from '../domain/task-folder.ts';
import { connectRegistry, type RegistryClient } from '../registry-client/client.ts';
import { mediaTypes, sha256Of } from '../registry-client/documents.ts';
import { RegistryRefusal } from '../registry-client/refusal.ts';
import { createSender } from '../registry-client/sender.ts';
import type { Account } from '../secret/account.ts';
import { packDirectory } from '../source/pack.ts';
import { failureOfConnection } from './api-errors.ts';
import type { Folder } from './context.ts';

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

/** The configuration of an artifact that has none (OCI image-spec, "Guidance for an Empty Descriptor"). */
const empty = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') };

interface Packed {
  readonly file: string;
  readonly digest: Digest;
  readonly size: number;
  /** Of the archive before it was compressed. */
  readonly contentDigest: string;
}

function digestOf(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}` as Digest;
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
function manifestOf({ digest, size, contentDigest }: Packed): Buffer {
  const config = { mediaType: empty.mediaType, digest: sha256Of(empty.bytes), size: empty.bytes.length };
  const annotations = {
    'org.opencontainers.image.title': '.',
    'io.deis.oras.content.digest': contentDigest,
    'io.deis.oras.content.unpack': 'true',
  };
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.image,
    artifactType: folderArtifactType,
    config,
    layers: [{ mediaType, digest, size, annotations }],
  };
  return Buffer.from(JSON.stringify(document));
}

/** What the client rejects with, as the command line says it. */
function explain(error: unknown, { server }: PushTarget): unknown {
  if (!(error instanceof RegistryRefusal)) return error;
  const { status } = error;
  if (status === undefined) return failureOfConnection(server, error);
  if (status === 401 || status === 403)
    return fail('unauthenticated', `the registry at ${server} refuses the login`, { hint: 'slipway login' });
  return fail('server-unreachable', `the registry at ${server} answered with status ${String(status)}`);
}

async function pushArtifact(client: RegistryClient, { repository, tag }: PushTarget, packed: Packed): Promise<Digest> {
  const { file, digest, size } = packed;
  if ((await client.blobSize(repository, digest)) === undefined)
    await client.uploadBlob(repository, { digest, size, open: () => createReadStream(file) });
  await client.putBlob(repository, { digest: sha256Of(empty.bytes), bytes: empty.bytes });
  const bytes = manifestOf(packed);
  const manifest = { digest: sha256Of(bytes), mediaType: mediaTypes.image, bytes };
  return (await client.putManifest(repository, tag, manifest)).digest;
}

async function send(target: PushTarget, packed: Packed, signal: AbortSignal): Promise<Digest> {
  const { server: origin, account } = target;
  const credential = account && { userName: account.username, password: account.password };
  const sender = createSender();
  try {
    return await pushArtifact(connectRegistry({ origin, credential, signal, sender }), target, packed);
  } catch (error) {
    throw explain(error, target);
  } finally {
    sender.close();
  }
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
    return { digest: await send(target, packed, signal), size: packed.size };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
