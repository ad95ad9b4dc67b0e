import { createHash } from 'node:crypto';
import { splitDigest, type Digest } from '../domain/digest.ts';
import { verifyBundle } from './bundle.ts';
import { verifySimpleSigning } from './cosign.ts';
import { createBudget, limits, type Budget } from './limits.ts';
import {
  isBundleType,
  mediaTypes,
  noSignature,
  readLayer,
  readSignatureManifest,
  type SignatureLayer,
} from './manifest.ts';
import { verifyNotation } from './notation.ts';
import { readTrusted, type Trusted, type TrustPolicy } from './policy.ts';
import type { Refusal, SignatureSource, Signer, Verdict } from './ports.ts';
import { RefusedSignature, refuse } from './refusal.ts';

/** An image and the policy that it is held against. */
export interface TrustQuestion {
  readonly digest: Digest;
  readonly policy: TrustPolicy;
  readonly source: SignatureSource;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Everything that looking at one candidate needs. */
interface Context extends TrustQuestion {
  readonly trusted: Trusted;
  readonly budget: Budget;
  readonly signers: Map<string, Signer>;
  readonly refusals: Refusal[];
}

/**
 * Looks for the signatures that a policy demands. Stops when there are enough; needs no network, no transparency log.
 * Whatever was pushed as a signature, the answer is a verdict: only a store that cannot be read makes it reject.
 */
export async function verifyImage(question: TrustQuestion): Promise<Verdict> {
  const { digest, policy, source } = question;
  const trusted = readTrusted(policy);
  const context: Context = { ...question, trusted, budget: createBudget(), signers: new Map(), refusals: [] };
  const candidates = [...new Set(await source.listSignatures(digest))];
  for (const artifact of candidates.slice(0, limits.candidates)) {
    if (isSatisfied(context)) break;
    await hearCandidate(artifact, context);
  }
  const [beyond] = candidates.slice(limits.candidates);
  if (beyond !== undefined && !isSatisfied(context))
    refuseOne(context, { artifact: beyond, because: `only ${String(limits.candidates)} signatures are looked at` });
  return toVerdict(context);
}

function isSatisfied({ signers, policy }: Context): boolean {
  return signers.size >= policy.minSignatures;
}

function toVerdict(context: Context): Verdict {
  const signers = [...context.signers.values()];
  const ends = signers.flatMap(({ validUntil }) => (validUntil === undefined ? [] : [validUntil]));
  return {
    policy: context.policy.name,
    isTrusted: isSatisfied(context),
    required: context.policy.minSignatures,
    signers,
    refusals: context.refusals,
    ...(ends.length > 0 && { validUntil: Math.min(...ends) }),
  };
}

async function hearCandidate(artifact: Digest, context: Context): Promise<void> {
  const layers = await orRefusal(context, { artifact }, async () => {
    const read = (maxBytes: number) => context.source.readManifest(artifact, maxBytes);
    const bytes = await readChecked({ digest: artifact, maxBytes: limits.manifestBytes, budget: context.budget, read });
    return readSignatureManifest(bytes, context.digest);
  });
  for (const [index, layer] of (layers ?? []).entries()) {
    if (isSatisfied(context)) return;
    const signer = await orRefusal(context, { artifact, layer: index }, async () =>
      hearLayer(readLayer(layer), artifact, context),
    );
    if (signer !== undefined && !context.signers.has(signer.id)) context.signers.set(signer.id, signer);
  }
}

async function hearLayer(layer: SignatureLayer, artifact: Digest, context: Context): Promise<Signer> {
  const { trusted, policy, now, budget, digest: image } = context;
  const { mediaType, annotations } = layer;
  const byKey = { image, keys: trusted.keys, budget };
  if (mediaType === mediaTypes.cose)
    throw refuse(
      'it is a Notation signature in a COSE envelope; only JWS envelopes are verified (notation sign --signature-format jws)',
    );
  if (mediaType === mediaTypes.jws) {
    if (trusted.anchors.length === 0) throw refuse('it is a Notation signature, and the policy names no certificates');
    const bytes = await readContents(layer, limits.payloadBytes, context);
    const question = { image, anchors: trusted.anchors, validity: policy.certificateValidity, now, budget };
    const { key, ...signer } = await verifyNotation(bytes, question);
    return { id: key.id, format: 'notation', artifact, ...signer };
  }
  if (mediaType !== mediaTypes.simpleSigning && !isBundleType(mediaType)) throw noSignature(mediaType);
  if (trusted.keys.length === 0) throw refuse('it is made with a key, and the policy names no keys');
  if (mediaType === mediaTypes.simpleSigning) {
    const payload = await readContents(layer, limits.payloadBytes, context);
    const { id, kind } = await verifySimpleSigning(payload, annotations, byKey);
    return { id, name: kind, format: 'cosign', artifact };
  }
  const bytes = await readContents(layer, limits.bundleBytes, context);
  const { id, kind } = await verifyBundle(bytes, { ...byKey, readImage: () => readImage(context) });
  return { id, name: kind, format: 'sigstore-bundle', artifact };
}

function readContents({ digest }: SignatureLayer, maxBytes: number, { source, budget }: Context): Promise<Uint8Array> {
  return readChecked({ digest, maxBytes, budget, read: (most) => source.readBlob(digest, most) });
}

function readImage({ digest, source, budget }: Context): Promise<Uint8Array> {
  const read = (most: number) => source.readManifest(digest, most);
  return readChecked({ digest, maxBytes: limits.manifestBytes, budget, read });
}

interface Reading {
  readonly digest: Digest;
  readonly maxBytes: number;
  readonly budget: Budget;
  readonly read: (maxBytes: number) => Promise<Uint8Array | undefined>;
}

/** Reads bytes and makes sure that they are those of the digest. */
async function readChecked({ digest, maxBytes, budget, read }: Reading): Promise<Uint8Array> {
  const most = Math.min(maxBytes, budget.bytes);
  if (most <= 0) throw refuse('too much was pushed as signatures of this image; the rest is not looked at');
  const bytes = await read(most).catch((error: unknown) => {
    throw new UnreadableSource(error);
  });
  if (bytes === undefined || bytes.length > most) throw refuse('it is not stored, or too large');
  budget.bytes -= bytes.length;
  const { algorithm, hex } = splitDigest(digest);
  if (createHash(algorithm).update(bytes).digest('hex') !== hex) throw refuse('its bytes are not those of its digest');
  return bytes;
}

/** The store failed, which says nothing about the candidate. */
class UnreadableSource extends Error {
  constructor(cause: unknown) {
    super('the store cannot be read', { cause });
  }
}

type Place = Pick<Refusal, 'artifact' | 'layer'>;

/** The one place where a refused signature becomes a line of the verdict. */
async function orRefusal<T>(context: Context, place: Place, hear: () => Promise<T>): Promise<T | undefined> {
  try {
    return await hear();
  } catch (error) {
    if (error instanceof UnreadableSource) throw error.cause;
    // What else is thrown (a parser at its wits' end) comes from the candidate, and must not shield the others.
    const because = error instanceof RefusedSignature ? error.message : 'it cannot be read';
    refuseOne(context, { ...place, because });
    return undefined;
  }
}

function refuseOne({ refusals }: Context, refusal: Refusal): void {
  if (refusals.length < limits.refusals) refusals.push(refusal);
}
