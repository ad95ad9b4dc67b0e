import { createHash } from 'node:crypto';
import { splitDigest, type Digest } from '../domain/digest.ts';
import type { KeyQuestion } from './cosign.ts';
import { decodeBase64, isObject, listAt, objectAt, parseJson, textAt, type Json } from './json.ts';
import { findSigner, type TrustedKey } from './keys.ts';
import { isBundleType } from './manifest.ts';
import { quote, refuse } from './refusal.ts';

const inToto = 'application/vnd.in-toto+json';
const statements = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'];
/** The claim "this image is signed". Any other statement says something about the image, perhaps nothing good. */
const signClaim = 'https://sigstore.dev/cosign/sign/v1';

/** A question whose answer may need the image's own bytes, which a message signature is made over. */
export interface BundleQuestion extends KeyQuestion {
  readImage(): Promise<Uint8Array | undefined>;
}

/**
 * Verifies a Sigstore bundle (protobuf-specs `Bundle`, as JSON) with given keys: a DSSE envelope around an in-toto
 * statement whose subject is the image and whose claim is cosign's signature, or a message signature over the image's
 * manifest. Transparency log entries and timestamps in it are not asked for.
 * @returns the key that signed.
 * @throws RefusedSignature
 */
export async function verifyBundle(bytes: Uint8Array, question: BundleQuestion): Promise<TrustedKey> {
  const bundle = parseJson(bytes, 'the bundle');
  const mediaType = textAt(bundle, 'mediaType');
  if (mediaType === undefined || !isBundleType(mediaType)) throw refuse('its layer is no Sigstore bundle');
  const { dsseEnvelope, messageSignature } = bundle;
  if (isObject(dsseEnvelope) === isObject(messageSignature))
    throw refuse('the bundle needs either an envelope or a message signature');
  return isObject(dsseEnvelope)
    ? verifyEnvelope(dsseEnvelope, question)
    : verifyMessage(objectAt(bundle, 'messageSignature'), question);
}

async function verifyEnvelope(envelope: Json, question: KeyQuestion): Promise<TrustedKey> {
  const payload = decodeBase64(envelope['payload']);
  const signatures = listAt(envelope, 'signatures');
  if (signatures.length !== 1) throw refuse('the envelope must have one signature');
  const signature = isObject(signatures[0]) ? decodeBase64(signatures[0]['sig']) : undefined;
  if (payload === undefined || signature === undefined) throw refuse('payload and signature must be base64');
  if (envelope['payloadType'] !== inToto) throw refuse('the envelope holds no in-toto statement');
  const signer = await findSigner(
    question.keys,
    { data: preAuthEncoding(inToto, payload), signature },
    question.budget,
  );
  if (signer === undefined) throw refuse('none of the keys of the policy made this signature');
  judgeStatement(payload, question.image);
  return signer;
}

/** What DSSE signs: type and payload, each with its length before it, so that neither can be read as the other. */
function preAuthEncoding(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${String(Buffer.byteLength(type))} ${type} ${String(payload.length)} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function judgeStatement(payload: Uint8Array, image: Digest): void {
  const statement = parseJson(payload, 'the statement');
  if (!statements.includes(textAt(statement, '_type') ?? '')) throw refuse('what is signed is no in-toto statement');
  const claim = textAt(statement, 'predicateType') ?? 'nothing';
  if (claim !== signClaim) throw refuse(`it attests ${quote(claim)} and is no signature of the image`);
  const { algorithm, hex } = splitDigest(image);
  const isSubject = (subject: unknown) => isObject(subject) && objectAt(subject, 'digest')[algorithm] === hex;
  if (!listAt(statement, 'subject').some(isSubject)) throw refuse('what is signed is another image');
}

async function verifyMessage(message: Json, question: BundleQuestion): Promise<TrustedKey> {
  const signature = decodeBase64(message['signature']);
  if (signature === undefined) throw refuse('the signature must be base64');
  const claimed = decodeBase64(objectAt(message, 'messageDigest')['digest']);
  const data = await question.readImage();
  if (data === undefined) throw refuse('the manifest that it signs is not stored');
  const digests = ['sha256', 'sha384', 'sha512'].map((name) => createHash(name).update(data).digest());
  if (claimed !== undefined && !digests.some((digest) => digest.equals(claimed)))
    throw refuse('what is signed is another image');
  const signer = await findSigner(question.keys, { data, signature }, question.budget);
  if (signer === undefined) throw refuse('none of the keys of the policy signed the manifest of this image');
  return signer;
}
