import { isDigest, type Digest } from '../domain/digest.ts';
import { isObject, listAt, objectAt, parseJson, type Json } from './json.ts';
import { limits } from './limits.ts';
import { quote, refuse } from './refusal.ts';

/** One layer of a signature manifest. */
export interface SignatureLayer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly annotations: Json;
}

export const mediaTypes = {
  simpleSigning: 'application/vnd.dev.cosign.simplesigning.v1+json',
  cosignArtifact: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  notation: 'application/vnd.cncf.notary.signature',
  jws: 'application/jose+json',
  cose: 'application/cose',
} as const;

/** True for a Sigstore bundle in any version (`….bundle.v0.3+json`, `….bundle+json;version=0.1`). */
export function isBundleType(mediaType: string): boolean {
  return /^application\/vnd\.dev\.sigstore\.bundle(?:\.v[0-9.]+\+json|\+json(?:; ?version="?[0-9.]+"?)?)$/.test(
    mediaType,
  );
}

/** True when a referrer of this artifact type may hold a signature, so that a source should list it. */
export function isSignatureType(artifactType: string): boolean {
  return (
    artifactType === mediaTypes.cosignArtifact || artifactType === mediaTypes.notation || isBundleType(artifactType)
  );
}

/**
 * Reads a manifest that claims to sign `image`.
 * @returns its layers, each still to be read: a broken one must not shield the others.
 * @throws RefusedSignature saying what it is instead.
 */
export function readSignatureManifest(bytes: Uint8Array, image: Digest): readonly unknown[] {
  const json = parseJson(bytes, 'the manifest');
  const subject = json['subject'];
  if (isObject(subject) && subject['digest'] !== image) throw refuse('its subject is another image');
  const layers = listAt(json, 'layers');
  if (layers.length === 0) throw refuse('it has no layers');
  if (layers.length > limits.layers) throw refuse(`it has more than ${String(limits.layers)} layers`);
  return layers;
}

/**
 * Reads one layer of it.
 * @throws RefusedSignature
 */
export function readLayer(value: unknown): SignatureLayer {
  const layer = isObject(value) ? value : {};
  const { digest, mediaType } = layer;
  if (typeof digest !== 'string' || !isDigest(digest)) throw refuse('its layer has no digest');
  if (typeof mediaType !== 'string') throw refuse('its layer has no media type');
  return { digest, mediaType, annotations: objectAt(layer, 'annotations') };
}

/** The refusal of a layer that is no signature. */
export function noSignature(mediaType: string): Error {
  return refuse(`it is no signature that can be verified here, but ${quote(mediaType)}`);
}
