import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDigest } from '../domain/digest.ts';
import { fail } from '../domain/failure.ts';
import type { RegistryCredential } from '../domain/run-request.ts';
import { createEgress } from '../egress/egress.ts';
import type { Egress } from '../egress/ports.ts';
import { assertDockerfile, storeArchive, withRetries, type DownloadOptions } from './download.ts';
import { contextOfFile } from './file-context.ts';
import { inspectArchive, type Inspection } from './inspect.ts';
import { joinLayers, type StoredLayer } from './join-layers.ts';
import type { OciLocation } from './oci-location.ts';
import { readManifest, type ArtifactLayer } from './oci-manifest.ts';
import { openArtifactRegistry, type ArtifactRegistry } from './oci-registry.ts';
import type { Context, ContextWish, OwnRegistry } from './ports.ts';
import { revisionOf } from './revision.ts';

export interface OciContextOptions extends DownloadOptions {
  readonly egress: Egress;
  /** An existing directory for the layers; one directory in it is made and removed by `dispose`. */
  readonly tempRoot: string;
  readonly ownRegistry?: OwnRegistry;
  readonly credentialFor?: NonNullable<ContextWish['credentialFor']>;
  readonly dockerfile?: string;
}

function isOwn({ registry }: OciLocation, own: OwnRegistry | undefined): own is OwnRegistry {
  return own !== undefined && (registry === own.host.toLowerCase() || registry === new URL(own.url).host);
}

/** A token in the location goes first, then what the wish has, then what the installation itself has for its registry. */
async function findCredential(
  location: OciLocation,
  { ownRegistry, credentialFor }: OciContextOptions,
): Promise<RegistryCredential | undefined> {
  const { token, user = 'token', registry } = location;
  if (token !== undefined) return { userName: user, password: token };
  if (!isOwn(location, ownRegistry)) return credentialFor?.(registry);
  return (await credentialFor?.(ownRegistry.host)) ?? ownRegistry.credential?.();
}

async function openRegistry(location: OciLocation, options: OciContextOptions): Promise<ArtifactRegistry> {
  const { ownRegistry } = options;
  const { registry } = location;
  const credential = await findCredential(location, options);
  if (!isOwn(location, ownRegistry)) return openArtifactRegistry({ egress: options.egress, registry, credential });
  const { origin, host } = new URL(ownRegistry.url);
  return openArtifactRegistry({ egress: createEgress({ allow: [host] }), registry, ownOrigin: origin, credential });
}

interface Manifest {
  readonly digest: string;
  readonly layers: readonly ArtifactLayer[];
}

/** The manifest by its bytes: what its digest is, is seen by the client and not believed. */
async function getManifest({ location, registry, options }: Work): Promise<Manifest> {
  const { repository, reference } = location;
  const what = `${repository}/manifests/${reference}`;
  try {
    const found = await registry.client(options.signal).manifest(repository, reference);
    if (found === undefined) throw registry.absent(what);
    return { digest: found.digest, layers: readManifest(found.bytes.toString('utf8')) };
  } catch (error) {
    throw registry.explain(error, what);
  }
}

async function openLayer({ location, registry, options }: Work, { digest, size }: ArtifactLayer): Promise<Readable> {
  const { repository } = location;
  try {
    // Whoever stores it looks at its digest.
    return await registry.client(options.signal).openBlob(repository, digest, { size, isChecked: false });
  } catch (error) {
    throw registry.explain(error, `${repository}/blobs/${digest}`);
  }
}

async function storeFile(body: Readable, file: string): Promise<string> {
  const hash = createHash('sha256');
  const tap = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(body, tap, createWriteStream(file));
  return `sha256:${hash.digest('hex')}`;
}

/** Where an artifact is being put together. */
interface Work {
  readonly location: OciLocation;
  readonly registry: ArtifactRegistry;
  readonly directory: string;
  readonly options: OciContextOptions & { readonly signal: AbortSignal };
}

async function getLayer(work: Work, layer: ArtifactLayer, at: number): Promise<Stored> {
  const { directory, options } = work;
  const file = path.join(directory, `layer-${String(at)}`);
  const body = await openLayer(work, layer);
  const found =
    layer.file === undefined ? await storeArchive(body, file, options) : { digest: await storeFile(body, file) };
  if (found.digest !== layer.digest)
    throw fail('source-unavailable', 'the registry sent another layer than its digest says');
  return {
    path: file,
    ...(layer.file !== undefined && { file: layer.file }),
    ...('inspection' in found && { inspection: found.inspection }),
  };
}

interface Stored extends StoredLayer {
  readonly inspection?: Inspection;
}

interface Fetched {
  readonly digest: string;
  readonly file: string;
  readonly inspection: Inspection;
}

async function fetchArtifact(work: Work): Promise<Fetched> {
  const { location } = work;
  const { limits, signal } = work.options;
  const { digest, layers } = await getManifest(work);
  const bytes = layers.reduce((sum, { size }) => sum + size, 0);
  if (bytes > limits.maxBytes)
    throw fail('too-large', `the artifact is larger than the ${String(limits.maxBytes)} bytes allowed`);
  const stored: Stored[] = [];
  for (const [at, layer] of layers.entries()) stored.push(await getLayer(work, layer, at));
  const [first] = stored;
  if (stored.length === 1 && first?.inspection !== undefined && location.folder === undefined)
    return { digest, file: first.path, inspection: first.inspection };
  const file = path.join(work.directory, 'context');
  await joinLayers(stored, { folder: location.folder, target: file, signal });
  const bound = { ...limits, maxBytes: limits.maxUnpackedBytes };
  return { digest, file, inspection: await inspectArchive(createReadStream(file), bound, signal) };
}

function describe({ registry, repository, reference, folder }: OciLocation, digest: string): string {
  const mark = isDigest(reference) ? '@' : ':';
  const name = `oci ${registry}/${repository}${mark}${reference}${folder === undefined ? '' : `#:${folder}`}`;
  return isDigest(reference) ? name : `${name} at ${digest.slice(0, 19)}`;
}

/**
 * Fetches an artifact of a registry and checks it whole before anything reads it: its layers are tar archives of a folder, or files, as ORAS
 * pushes them. Our own registry is asked wherever it is, all others through the guarded client.
 * @throws `source-unavailable`, `invalid-context`, `too-large`, `timed-out`, `invalid-request` (host, folder, Dockerfile); the
 * signal's reason when it aborts. Whatever it throws, nothing stays on the disk.
 */
export async function openOciContext(location: OciLocation, options: OciContextOptions): Promise<Context> {
  const directory = await mkdtemp(path.join(options.tempRoot, 'oci-'));
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 5 });
  let registry: ArtifactRegistry | undefined;
  try {
    const opened = (registry = await openRegistry(location, options));
    const ours = isOwn(location, options.ownRegistry);
    const { digest, file, inspection } = await withRetries({ ...options, isOwn: ours }, (signal) =>
      fetchArtifact({ location, registry: opened, directory, options: { ...options, signal } }),
    );
    assertDockerfile(inspection, options.dockerfile, 'artifact');
    const revision = revisionOf(digest, location.folder);
    return contextOfFile(file, { description: describe(location, digest), digest, revision, dispose });
  } catch (error) {
    await dispose();
    throw error;
  } finally {
    registry?.close();
  }
}
