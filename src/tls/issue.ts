import { createHash, generateKeyPair, randomBytes, sign, type KeyObject, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import ipaddr from 'ipaddr.js';
import {
  bitString,
  childrenOf,
  encode,
  explicit,
  integer,
  objectId,
  octetString,
  sequence,
  setOf,
  time,
  utf8String,
  yes,
} from './der.ts';

/** A certificate and the key that belongs to it. */
export interface Issued {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** From when to when, milliseconds since 1970. */
export interface Validity {
  readonly from: number;
  readonly until: number;
}

const makeKeys = promisify(generateKeyPair);
const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'));

/** Extensions by their last arc below `id-ce`, 2.5.29 (RFC 5280, section 4.2.1). */
function extension(arc: number, value: Buffer, isCritical = false): Buffer {
  return sequence(objectId(`2.5.29.${arc}`), ...(isCritical ? [yes] : []), octetString(value));
}

function nameOf(commonName: string): Buffer {
  const part = (arc: number, text: string): Buffer => setOf(sequence(objectId(`2.5.4.${arc}`), utf8String(text)));
  return sequence(part(10, 'Slipway'), part(3, commonName));
}

function publicKeyOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** The hash of the key's bits (RFC 5280, section 4.2.1.2, method 1). */
function keyIdOf(spki: Buffer): Buffer {
  const bits = childrenOf(spki)[1] ?? spki;
  // Without tag, length and the count of unused bits.
  return createHash('sha1').update(bits.subarray(3)).digest();
}

/** The subject of a certificate, byte for byte as it stands there: the sixth field, after version, serial number, algorithm, issuer and validity. */
function subjectOf({ raw }: X509Certificate): Buffer {
  return childrenOf(childrenOf(raw)[0] ?? raw)[5] ?? raw;
}

function alternativeName(name: string): Buffer {
  if (!ipaddr.isValid(name)) return encode(0x82, Buffer.from(name, 'ascii'));
  return encode(0x87, Buffer.from(ipaddr.parse(name).toByteArray()));
}

interface Contents {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly signingKey: KeyObject;
}

function issue({ issuer, subject, validity, publicKey, extensions, signingKey }: Contents): X509Certificate {
  const serial = randomBytes(16);
  // Positive, and of the same length always.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    issuer,
    sequence(time(new Date(validity.from)), time(new Date(validity.until))),
    subject,
    publicKeyOf(publicKey),
    explicit(3, sequence(...extensions)),
  );
  const signature = sign('sha256', toBeSigned, { key: signingKey, dsaEncoding: 'der' });
  return new X509Certificate(sequence(toBeSigned, ecdsaWithSha256, bitString(signature)));
}

/** Makes an authority of its own: a key (ECDSA, P-256) and a certificate that may sign those of servers and nothing beneath them. */
export async function issueAuthority(commonName: string, validity: Validity): Promise<Issued> {
  const { publicKey, privateKey } = await makeKeys('ec', { namedCurve: 'P-256' });
  const name = nameOf(commonName);
  const extensions = [
    extension(19, sequence(yes, integer(Buffer.from([0]))), true),
    // Certificates and lists of revoked ones.
    extension(15, bitString(Buffer.from([0x06]), 1), true),
    extension(14, octetString(keyIdOf(publicKeyOf(publicKey)))),
  ];
  const parts = { issuer: name, subject: name, validity, publicKey, extensions, signingKey: privateKey };
  return { certificate: issue(parts), key: privateKey };
}

/**
 * Makes the certificate of a server, signed by an authority, with a key of its own.
 * @param names host names (ASCII, `*.` allowed in front) and addresses that it is good for; the first one names it.
 */
export async function issueServer(
  authority: Issued,
  names: readonly [string, ...string[]],
  validity: Validity,
): Promise<Issued> {
  const { publicKey, privateKey } = await makeKeys('ec', { namedCurve: 'P-256' });
  const authorityKey = keyIdOf(publicKeyOf(authority.certificate.publicKey));
  const extensions = [
    extension(19, sequence(), true),
    // Signatures: all that TLS asks of a key on a curve.
    extension(15, bitString(Buffer.from([0x80]), 7), true),
    extension(37, sequence(objectId('1.3.6.1.5.5.7.3.1'))),
    extension(14, octetString(keyIdOf(publicKeyOf(publicKey)))),
    extension(35, sequence(encode(0x80, authorityKey))),
    extension(17, sequence(...names.map(alternativeName))),
  ];
  const certificate = issue({
    issuer: subjectOf(authority.certificate),
    // No common name may be longer (RFC 5280, upper bounds).
    subject: nameOf(names[0].slice(0, 64)),
    validity,
    publicKey,
    extensions,
    signingKey: authority.key,
  });
  return { certificate, key: privateKey };
}
