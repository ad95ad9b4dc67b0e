import type { Digest } from '../domain/digest.ts';
import { decodeBase64, objectAt, parseJson, type Json } from './json.ts';
import { findSigner, type TrustedKey } from './keys.ts';
import type { Budget } from './limits.ts';
import { quote, refuse } from './refusal.ts';

/** The annotation of the layer that holds the signature (cosign, SIGNATURE_SPEC). */
export const signatureAnnotation = 'dev.cosignproject.cosign/signature';
const payloadType = 'cosign container image signature';

/** What a key-based signature is looked at with. */
export interface KeyQuestion {
  readonly image: Digest;
  readonly keys: readonly TrustedKey[];
  readonly budget: Budget;
}

/**
 * Verifies one layer of cosign's classic form: a "simple signing" payload, its signature in the layer's annotation.
 * `docker-reference` is not compared: an image keeps its signature when it is copied under another name.
 * @returns the key that signed.
 * @throws RefusedSignature
 */
export async function verifySimpleSigning(
  payload: Uint8Array,
  annotations: Json,
  question: KeyQuestion,
): Promise<TrustedKey> {
  const signature = decodeBase64(annotations[signatureAnnotation]);
  if (signature === undefined) throw refuse(`its layer has no signature in ${signatureAnnotation}`);
  const signer = await findSigner(question.keys, { data: payload, signature }, question.budget);
  if (signer === undefined) throw refuse('none of the keys of the policy made this signature');
  const { type, digest } = readPayload(payload);
  if (type !== payloadType) throw refuse(`what is signed is of type ${quote(type)}, no container image`);
  if (digest !== question.image) throw refuse(`what is signed is another image, ${quote(digest)}`);
  return signer;
}

/** Reads the payload; cosign before 1.0 wrote its names with capitals. */
function readPayload(payload: Uint8Array): { type: string; digest: string } {
  const critical = either(parseJson(payload, 'the payload'), 'critical', 'Critical');
  const image = either(critical, 'image', 'Image');
  const digest = image['docker-manifest-digest'] ?? image['Docker-manifest-digest'];
  return { type: text(critical['type'] ?? critical['Type']), digest: text(digest) };
}

function either(json: Json, name: string, old: string): Json {
  return objectAt(json, name in json ? name : old);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
