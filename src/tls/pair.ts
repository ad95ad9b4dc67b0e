import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import ipaddr from 'ipaddr.js';
import { fail } from '../domain/failure.ts';

/** Where a server's certificate and key lie, PEM; both may be one file. */
export interface PairFiles {
  /** The server's certificate first, then those between it and the authority. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate that a server can show, and its key. */
export interface Pair {
  /** PEM, the whole chain. */
  readonly cert: string;
  readonly key: string;
  readonly leaf: X509Certificate;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validUntil: number;
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** The certificates in a text, in their order. Throws when one of them cannot be read. */
export function parseCertificates(pem: string): readonly X509Certificate[] {
  return (pem.match(pemCertificate) ?? []).map((one) => new X509Certificate(one));
}

/** The names and addresses that a certificate is good for. */
export function namesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return subjectAltName.split(', ').flatMap((one) => {
    const [, kind, name] = /^(DNS|IP Address):(.+)$/.exec(one) ?? [];
    if (kind === undefined || name === undefined) return [];
    // OpenSSL writes all eight groups of an IPv6 address.
    return [kind === 'DNS' || !ipaddr.isValid(name) ? name : ipaddr.parse(name).toString()];
  });
}

function wrong(file: string, what: string, hint?: string, cause?: unknown): Error {
  return fail('invalid-request', `${file} ${what}`, { ...(hint !== undefined && { hint }), cause });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw wrong(file, `cannot be read (${code})`, undefined, error);
  }
}

/** The certificates in the text of a file, in their order. Throws `invalid-request` that names the file. */
export function readChain(file: string, pem: string): readonly [X509Certificate, ...X509Certificate[]] {
  let chain: readonly X509Certificate[];
  try {
    chain = parseCertificates(pem);
  } catch (error) {
    throw wrong(file, 'holds a certificate that cannot be read', undefined, error);
  }
  const [leaf, ...rest] = chain;
  if (leaf === undefined) throw wrong(file, 'holds no certificate', 'It must be PEM: -----BEGIN CERTIFICATE-----');
  return [leaf, ...rest];
}

function readKey(file: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isLocked = pem.includes('ENCRYPTED');
    const what = isLocked ? 'holds a key that is encrypted' : 'holds no private key that can be read';
    const hint = isLocked ? 'Decrypt it: openssl pkey -in KEY -out NEW' : 'It must be PEM: -----BEGIN PRIVATE KEY-----';
    throw wrong(file, what, hint, error);
  }
}

function checkMatch({ certFile, keyFile }: PairFiles, chain: readonly X509Certificate[], key: KeyObject): void {
  const place = chain.findIndex((one) => one.checkPrivateKey(key));
  if (place === 0) return;
  if (place > 0) throw wrong(certFile, 'must hold the server’s certificate first, then those that signed it');
  throw wrong(keyFile, `does not hold the key of the certificate in ${certFile}`);
}

/** Reads a time of OpenSSL's (`Nov 12 12:00:00 2026 GMT`). */
function validityOf({ validFrom, validTo }: X509Certificate): Pick<Pair, 'validFrom' | 'validUntil'> {
  return { validFrom: Date.parse(validFrom), validUntil: Date.parse(validTo) };
}

function checkDates(file: string, leaf: X509Certificate, now: number): void {
  const { validFrom, validUntil } = validityOf(leaf);
  if (now > validUntil) throw wrong(file, `holds a certificate that expired on ${leaf.validTo}`);
  if (now >= validFrom) return;
  throw wrong(file, `holds a certificate that is not valid before ${leaf.validFrom}`, 'Is this machine’s clock right?');
}

/**
 * Reads a server's certificate and key, and makes sure that a server can use them.
 * @param now milliseconds since 1970.
 * @throws `invalid-request` that names the file: unreadable, no PEM, a key that is encrypted or of another certificate, expired, not yet
 * valid, or too weak for this machine's OpenSSL.
 */
export async function readPair(files: PairFiles, now: number): Promise<Pair> {
  const [cert, key] = [await readText(files.certFile), await readText(files.keyFile)];
  const chain = readChain(files.certFile, cert);
  const [leaf] = chain;
  checkMatch(files, chain, readKey(files.keyFile, key));
  checkDates(files.certFile, leaf, now);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw wrong(files.certFile, `cannot be used: ${error instanceof Error ? error.message : ''}`, undefined, error);
  }
  return { cert, key, leaf, ...validityOf(leaf) };
}
