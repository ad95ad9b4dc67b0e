import { flattenedVerify } from 'jose';
import type { Digest } from '../domain/digest.ts';
import { readCertificate, type Certificate } from './certificate.ts';
import { judgeChain } from './chain.ts';
import { decodeBase64, listAt, objectAt, parseJson, textAt, type Json } from './json.ts';
import { spendChecks, type TrustedKey } from './keys.ts';
import { limits, type Budget } from './limits.ts';
import { quote, refuse } from './refusal.ts';

const payloadType = 'application/vnd.cncf.notary.payload.v1+json';
const attribute = (name: string) => `io.cncf.notary.${name}`;
const fields = ['payload', 'protected', 'header', 'signature'];

/** The algorithm that a signing key must use (Notary Project signature specification, "Algorithm Selection"). */
const algorithms: Readonly<Record<string, string>> = {
  'RSA 2048': 'PS256',
  'RSA 3072': 'PS384',
  'RSA 4096': 'PS512',
  'ECDSA P-256': 'ES256',
  'ECDSA P-384': 'ES384',
  'ECDSA P-521': 'ES512',
};

/** What a certificate-based signature is looked at with. */
export interface CertificateQuestion {
  readonly image: Digest;
  readonly anchors: readonly Certificate[];
  readonly validity: 'now' | 'signing-time';
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly budget: Budget;
}

/** Who signed a Notation signature. */
export interface NotationSigner {
  readonly key: TrustedKey;
  readonly name: string;
  readonly signedAt: number;
  readonly validUntil?: number;
}

/**
 * Verifies a Notation signature in a JWS envelope (Notary Project, "JWS Signature Envelope"): the certificates lead to
 * one that the policy names and were valid, the signature is theirs, what is signed is the image, and it has not expired.
 * Nobody vouches for the signing time: timestamp countersignatures are not read, and a signing authority's time counts
 * as the signer's own.
 * @throws RefusedSignature
 */
export async function verifyNotation(bytes: Uint8Array, question: CertificateQuestion): Promise<NotationSigner> {
  const envelope = readEnvelope(bytes);
  const attributes = readAttributes(envelope.protected, question.now);
  const chain = readChain(envelope.header);
  spendChecks(question.budget, chain.length + 1);
  const { leaf, notAfter } = judgeChain({
    chain,
    anchors: question.anchors,
    times: timesOf(attributes.signedAt, question),
  });
  const payload = await checkSignature(envelope, leaf);
  const digest = textAt(objectAt(parseJson(payload, 'the payload'), 'targetArtifact'), 'digest');
  if (digest !== question.image) throw refuse(`what is signed is another image, ${quote(digest ?? 'none')}`);
  const ends = [...(question.validity === 'now' ? [notAfter] : []), ...attributes.expiry];
  const validUntil = ends.length === 0 ? {} : { validUntil: Math.min(...ends) };
  return { key: leaf.key, name: leaf.name, signedAt: attributes.signedAt, ...validUntil };
}

interface Envelope {
  readonly payload: string;
  readonly protected: string;
  readonly signature: string;
  readonly header: Json;
}

function readEnvelope(bytes: Uint8Array): Envelope {
  const json = parseJson(bytes, 'the envelope');
  const stranger = Object.keys(json).find((name) => !fields.includes(name));
  if (stranger !== undefined) throw refuse(`the envelope has a field that it must not have, ${quote(stranger)}`);
  const { payload, protected: head, signature } = json;
  if (typeof payload !== 'string' || typeof head !== 'string' || typeof signature !== 'string')
    throw refuse('the envelope is no flattened JWS (payload, protected and signature)');
  return { payload, protected: head, signature, header: objectAt(json, 'header') };
}

/** Reads the signed attributes. They are believed only once the signature has been verified. */
function readAttributes(head: string, now: number): { signedAt: number; expiry: readonly number[] } {
  const json = parseJson(decodeBase64(head) ?? Buffer.alloc(0), 'the protected header');
  if (json['cty'] !== payloadType) throw refuse('what is signed is no payload of the Notary Project');
  const scheme = json[attribute('signingScheme')];
  if (scheme !== 'notary.x509' && scheme !== 'notary.x509.signingAuthority')
    throw refuse('its signing scheme is not known');
  const timeName = attribute(scheme === 'notary.x509' ? 'signingTime' : 'authenticSigningTime');
  judgeCritical(json, scheme === 'notary.x509' ? [] : [timeName]);
  const expiry = json[attribute('expiry')] === undefined ? [] : [readTime(json, attribute('expiry'))];
  const [expired] = expiry.filter((at) => at <= now);
  if (expired !== undefined) throw refuse(`the signature expired ${new Date(expired).toISOString()}`);
  return { signedAt: readTime(json, timeName), expiry };
}

function judgeCritical(json: Json, alsoDemanded: readonly string[]): void {
  const known = ['signingScheme', 'expiry', 'authenticSigningTime'].map(attribute);
  const plugin = attribute('verificationPlugin');
  if (plugin in json) throw refuse(`it can be verified only with a plug-in, ${quote(JSON.stringify(json[plugin]))}`);
  const critical = listAt(json, 'crit').map((name) => {
    if (typeof name === 'string' && known.includes(name)) return name;
    throw refuse(`it demands that ${quote(JSON.stringify(name))} is understood, which it is not`);
  });
  const absent = critical.find((name) => !(name in json));
  if (absent !== undefined) throw refuse(`its header ${absent} is critical, but missing`);
  const expiry = attribute('expiry') in json ? [attribute('expiry')] : [];
  const missing = [attribute('signingScheme'), ...expiry, ...alsoDemanded].find((name) => !critical.includes(name));
  if (missing !== undefined) throw refuse(`its header ${missing} must be marked as critical`);
}

function readTime(json: Json, name: string): number {
  const text = textAt(json, name) ?? '';
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const at = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw refuse(`its header ${name} is no time`);
  return at;
}

function readChain(header: Json): Certificate[] {
  const list = listAt(header, 'x5c');
  if (list.length > limits.chain) throw refuse(`it carries more than ${String(limits.chain)} certificates`);
  return list.map((each, index) => {
    const der = decodeBase64(each);
    const certificate = der === undefined ? 'it is not base64' : readCertificate(der);
    if (typeof certificate === 'string') throw refuse(`certificate ${String(index)} cannot be used: ${certificate}`);
    return certificate;
  });
}

function timesOf(signedAt: number, { validity, now }: CertificateQuestion): { at: number; name: string }[] {
  const signing = { at: signedAt, name: 'when it was signed' };
  return validity === 'now' ? [{ at: now, name: 'at this time' }, signing] : [signing];
}

async function checkSignature(envelope: Envelope, leaf: Certificate): Promise<Uint8Array> {
  const algorithm = algorithms[leaf.key.kind];
  if (algorithm === undefined) throw refuse(`a key of the kind ${leaf.key.kind} may not sign`);
  const crit = Object.fromEntries(
    ['signingScheme', 'expiry', 'authenticSigningTime'].map((name) => [attribute(name), true]),
  );
  try {
    const { payload } = await flattenedVerify(envelope, leaf.key.key, { algorithms: [algorithm], crit });
    return payload;
  } catch {
    throw refuse(`the signature was not made by ${leaf.name} with ${algorithm}`);
  }
}
