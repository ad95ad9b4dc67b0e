// What the library declares its algorithms with; it must be there first.
import 'reflect-metadata';
import { KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import ipaddr from 'ipaddr.js';

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

interface Contents {
  readonly issuer: x509.Name;
  readonly subject: x509.Name;
  readonly validity: Validity;
  readonly publicKey: webcrypto.CryptoKey;
  readonly extensions: x509.Extension[];
  readonly signingKey: webcrypto.CryptoKey;
}

const { subtle } = webcrypto;

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
}

/** The key of an authority, for the algorithm that its certificate names: an operator may have put one of another kind there. */
function signingKeyOf({ publicKey }: x509.X509Certificate, key: KeyObject): Promise<webcrypto.CryptoKey> {
  const algorithm = { ...(publicKey.algorithm as webcrypto.KeyAlgorithm), hash: 'SHA-256' };
  return subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithm, false, ['sign']);
}

/** The identifier that an authority's own certificate gives its key; of the key itself where it gives none. */
async function identifierOf(signer: x509.X509Certificate): Promise<x509.Extension> {
  const given = signer.getExtension(x509.SubjectKeyIdentifierExtension);
  if (given === null) return x509.AuthorityKeyIdentifierExtension.create(signer.publicKey);
  return new x509.AuthorityKeyIdentifierExtension(given.keyId);
}

function nameOf(commonName: string): x509.Name {
  return new x509.Name([{ O: [{ utf8String: 'Slipway' }] }, { CN: [{ utf8String: commonName }] }]);
}

/** Certificates have no fractions of a second (RFC 5280, section 4.1.2.5). */
function toSecond(at: number): Date {
  return new Date(Math.floor(at / 1000) * 1000);
}

/** The serial number is the library's: 16 random bytes. */
async function issue({ validity, ...contents }: Contents): Promise<X509Certificate> {
  const { rawData } = await x509.X509CertificateGenerator.create({
    ...contents,
    notBefore: toSecond(validity.from),
    notAfter: toSecond(validity.until),
    signingAlgorithm: { name: contents.signingKey.algorithm.name, hash: 'SHA-256' },
  });
  return new X509Certificate(Buffer.from(rawData));
}

/** Makes an authority of its own: a key (ECDSA, P-256) and a certificate that may sign those of servers and nothing beneath them. */
export async function issueAuthority(commonName: string, validity: Validity): Promise<Issued> {
  const { publicKey, privateKey } = await makeKeys();
  const name = nameOf(commonName);
  const extensions = [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ];
  const parts = { issuer: name, subject: name, validity, publicKey, extensions, signingKey: privateKey };
  return { certificate: await issue(parts), key: KeyObject.from(privateKey) };
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
  const { publicKey, privateKey } = await makeKeys();
  const signer = new x509.X509Certificate(authority.certificate.raw);
  const certificate = await issue({
    issuer: signer.subjectName,
    // No common name may be longer (RFC 5280, upper bounds).
    subject: nameOf(names[0].slice(0, 64)),
    validity,
    publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      // Signatures: all that TLS asks of a key on a curve.
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await identifierOf(signer),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: ipaddr.isValid(value) ? 'ip' : 'dns', value })),
      ),
    ],
    signingKey: await signingKeyOf(signer, authority.key),
  });
  return { certificate, key: KeyObject.from(privateKey) };
}
