import { constants, createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { Digest } from '../../src/domain/digest.ts';
import { isSignatureType } from '../../src/trust/manifest.ts';
import { parseTrustPolicy, type TrustPolicy } from '../../src/trust/policy.ts';
import type { ImageSource, Verdict } from '../../src/trust/ports.ts';
import { verifyImage } from '../../src/trust/verify.ts';

export type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

/** The present of these tests. */
export const now = Date.parse('2026-06-01T12:00:00Z');

/** Keys are made once a file: RSA takes its time. */
export const makeKeys = {
  p256: (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  rsa: (modulusLength = 2048): Pair => generateKeyPairSync('rsa', { modulusLength }),
  ed25519: (): Pair => generateKeyPairSync('ed25519'),
};

export function pemOf({ publicKey }: Pair): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

export function policyOf(fields: object): TrustPolicy {
  return parseTrustPolicy({ name: 'signed', repositories: ['*'], ...fields });
}

/** A repository in memory that lists signatures as the registry does. */
export interface Repository extends ImageSource {
  readonly reads: { blobs: number; manifests: number };
  readonly blobs: Map<string, Uint8Array>;
  putBlob(bytes: Uint8Array): Digest;
  /** Stores a manifest, and lists it with its subject. */
  putManifest(document: object): Digest;
  /** Moves the tag `sha256-<hex>.sig`. */
  tagSignature(image: Digest, manifest: Digest): void;
}

interface Document {
  readonly artifactType?: unknown;
  readonly config?: { readonly mediaType?: unknown };
  readonly subject?: { readonly digest: string };
  readonly manifests?: readonly { readonly digest: string }[];
}

export function createRepository(): Repository {
  const [blobs, manifests] = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()];
  const [tags, referrers, parents] = [
    new Map<Digest, Digest>(),
    new Map<string, Digest[]>(),
    new Map<string, Digest[]>(),
  ];
  const reads = { blobs: 0, manifests: 0 };
  const within = (bytes: Uint8Array | undefined, maxBytes: number) =>
    bytes === undefined || bytes.length > maxBytes ? undefined : bytes;
  return {
    reads,
    blobs,
    putBlob(bytes) {
      blobs.set(digestOf(bytes), bytes);
      return digestOf(bytes);
    },
    putManifest(whole) {
      const document = whole as Document;
      const bytes = Buffer.from(JSON.stringify(document));
      const digest = digestOf(bytes);
      manifests.set(digest, bytes);
      const subject = document.subject?.digest;
      const type: unknown = document.artifactType ?? document.config?.mediaType;
      if (typeof type === 'string' && isSignatureType(type) && subject !== undefined)
        referrers.set(subject, [...(referrers.get(subject) ?? []), digest]);
      for (const child of document.manifests ?? [])
        parents.set(child.digest, [...(parents.get(child.digest) ?? []), digest]);
      return digest;
    },
    tagSignature: (image, manifest) => void tags.set(image, manifest),
    listSignatures: async (image) => [...(tags.has(image) ? [tags.get(image)!] : []), ...(referrers.get(image) ?? [])],
    listIndexes: async (manifest) => parents.get(manifest) ?? [],
    readManifest: async (digest, maxBytes) => {
      reads.manifests += 1;
      return within(manifests.get(digest), maxBytes);
    },
    readBlob: async (digest, maxBytes) => {
      reads.blobs += 1;
      return within(blobs.get(digest), maxBytes);
    },
  };
}

export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndex = 'application/vnd.oci.image.index.v1+json';
export const imageConfig = 'application/vnd.oci.image.config.v1+json';

/** An ordinary image with one layer; `seed` makes it another one. */
export function pushImage(repository: Repository, seed = 'app'): Digest {
  const layer = Buffer.from(`layer of ${seed}`);
  return repository.putManifest({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: descriptor(repository, imageConfig, Buffer.from(`{"os":"linux","author":"${seed}"}`)),
    layers: [descriptor(repository, 'application/vnd.oci.image.layer.v1.tar+gzip', layer)],
  });
}

export function descriptor(repository: Repository, mediaType: string, bytes: Uint8Array, annotations?: object): object {
  const digest = repository.putBlob(bytes);
  return { mediaType, digest, size: bytes.length, ...(annotations !== undefined && { annotations }) };
}

export function verify(repository: Repository, digest: Digest, policy: TrustPolicy, at = now): Promise<Verdict> {
  return verifyImage({ digest, policy, source: repository, now: at });
}

export function reasonsOf({ refusals }: Verdict): string {
  return refusals.map(({ because }) => because).join('\n');
}

/** Signs as cosign does: ECDSA in DER, RSA with PKCS #1 v1.5, SHA-256 unless told. */
export function signBytes({ privateKey }: Pair, data: Uint8Array, hash = 'sha256'): Buffer {
  return sign(privateKey.asymmetricKeyType === 'ed25519' ? null : hash, data, privateKey);
}

export function signPss({ privateKey }: Pair, data: Uint8Array, hash = 'sha256'): Buffer {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign(hash, data, { key: privateKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

export function simpleSigning(digest: string, type = 'cosign container image signature'): Buffer {
  const critical = { identity: { 'docker-reference': 'team/app' }, image: { 'docker-manifest-digest': digest }, type };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}

export const simpleSigningType = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** One layer of a classic cosign manifest. */
export function cosignLayer(repository: Repository, payload: Uint8Array, signature: Uint8Array | string): object {
  const text = typeof signature === 'string' ? signature : Buffer.from(signature).toString('base64');
  return descriptor(repository, simpleSigningType, payload, { 'dev.cosignproject.cosign/signature': text });
}

/** Pushes a classic cosign signature under its tag. */
export function pushCosign(repository: Repository, image: Digest, layers: readonly object[]): Digest {
  const config = descriptor(repository, imageConfig, Buffer.from('{"rootfs":{"type":"layers","diff_ids":[]}}'));
  const digest = repository.putManifest({ schemaVersion: 2, mediaType: ociManifest, config, layers });
  repository.tagSignature(image, digest);
  return digest;
}

/** Pushes a referrer with one layer. */
export function pushReferrer(
  repository: Repository,
  image: Digest,
  artifact: { readonly type: string; readonly layer: object; readonly config?: string },
): Digest {
  return repository.putManifest({
    schemaVersion: 2,
    mediaType: ociManifest,
    artifactType: artifact.type,
    config: descriptor(repository, artifact.config ?? 'application/vnd.oci.empty.v1+json', Buffer.from('{}')),
    layers: [artifact.layer],
    subject: { mediaType: ociManifest, digest: image, size: 7 },
  });
}
