import { isDigest, type Digest } from '../domain/digest.ts';
import type { Call, Caller } from './caller.ts';
import { allManifestTypes, hasDigest, sha256Of, type RegistryDocument } from './documents.ts';
import { headerOf } from './headers.ts';
import type { AnswerHeaders } from './ports.ts';
import { mediaTypeOf, misbehaves } from './refusal.ts';

function callOf(method: 'GET' | 'HEAD', repository: string, reference: string): Call {
  return { method, repository, path: `manifests/${reference}`, headers: { accept: allManifestTypes } };
}

/** The digest that a registry says a manifest has. */
export function saidDigest(headers: AnswerHeaders): Digest | undefined {
  const said = headerOf(headers, 'docker-content-digest') ?? '';
  return isDigest(said) ? said : undefined;
}

/** Reads a manifest or index; its bytes are what its digest says. Undefined when there is none. */
export async function getManifest(
  caller: Caller,
  repository: string,
  reference: string,
): Promise<RegistryDocument | undefined> {
  const answer = await caller.read(callOf('GET', repository, reference), [200, 404]);
  if (answer.status === 404) return undefined;
  const { bytes } = answer;
  const digest = isDigest(reference) ? reference : (saidDigest(answer.headers) ?? sha256Of(bytes));
  if (!hasDigest(bytes, digest)) throw misbehaves(caller.registry, 'sends another manifest than it was asked for');
  return { digest, mediaType: mediaTypeOf(answer), bytes };
}

/** What a tag or digest stands for, by one HEAD where that is enough; undefined when there is none. */
export async function resolve(caller: Caller, repository: string, reference: string): Promise<Digest | undefined> {
  const answer = await caller.read(callOf('HEAD', repository, reference), [200, 404, 405, 501]);
  if (answer.status === 404) return undefined;
  // A registry that does not know HEAD, or does not say the digest, has its manifest read.
  const said = answer.status === 200 ? saidDigest(answer.headers) : undefined;
  return said ?? (await getManifest(caller, repository, reference))?.digest;
}

/** What came of putting a manifest. */
export interface PutManifest {
  readonly digest: Digest;
  /** The registry lists it with its subject (`OCI-Subject`). */
  readonly isListed: boolean;
}

/** What comes with a manifest to our own registry, in the same request. */
export interface ManifestParts {
  /** Blobs that the manifest names, at most {@link broughtBytes} each. */
  readonly blobs: readonly { readonly digest: Digest; readonly bytes: Uint8Array }[];
  /** Repositories of the registry from which blobs are taken over that are not in the manifest's own. */
  readonly from: readonly string[];
}

/** The largest blob that can come with a manifest. */
export const broughtBytes = 32 * 1024;

/**
 * `{"manifest":{"mediaType","data"},"blobs":[{"digest","data"}],"from":["library/base"]}`; every `data` is base64. Our own addition to the
 * protocol of OCI: what needs an upload or a mount for each blob otherwise comes with the manifest.
 */
export const wholeImageType = 'application/vnd.slipway.image.v1+json';

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function wrap({ bytes, mediaType }: RegistryDocument, { blobs, from }: ManifestParts): Uint8Array {
  const sent = {
    manifest: { mediaType, data: base64(bytes) },
    blobs: blobs.map((blob) => ({ digest: blob.digest, data: base64(blob.bytes) })),
    from,
  };
  return Buffer.from(JSON.stringify(sent));
}

/** Puts a manifest under a tag, or under its digest alone; `parts` go to a registry of our own only. */
export async function putManifest(
  caller: Caller,
  { repository, reference }: { readonly repository: string; readonly reference: string },
  manifest: RegistryDocument,
  parts?: ManifestParts,
): Promise<PutManifest> {
  const [type, body] =
    parts === undefined ? [manifest.mediaType, manifest.bytes] : [wholeImageType, wrap(manifest, parts)];
  const about = { repository, path: `manifests/${reference}`, headers: { 'content-type': type }, body };
  const { headers } = await caller.read({ ...about, method: 'PUT', rights: 'push' }, [201, 200, 202]);
  const { digest, bytes } = manifest;
  const said = saidDigest(headers);
  // By sha256, though it was pushed by another algorithm, is no other manifest.
  if (said !== undefined && said !== digest && !hasDigest(bytes, said))
    throw misbehaves(caller.registry, 'has made another manifest of what it was sent');
  return { digest: said ?? digest, isListed: headerOf(headers, 'oci-subject') !== undefined };
}
