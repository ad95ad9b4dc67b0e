import { createPrivateKey, randomBytes, type X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { domainToASCII } from 'node:url';
import ipaddr from 'ipaddr.js';
import { fail } from '../domain/failure.ts';
import type { Issued } from './issue.ts';
import { namesOf, parseCertificates, type PairFiles } from './pair.ts';

/** Where Slipway keeps an authority of its own and what that has signed. */
export interface OwnFiles extends PairFiles {
  /** What clients have to trust. */
  readonly caFile: string;
  readonly caKeyFile: string;
}

/** What is asked of a certificate. */
export interface Wish {
  /** Host names and addresses. */
  readonly names: readonly string[];
  readonly days: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const dayMs = 86_400_000;
const authorityDays = 3650;
/** The usual term: browsers and Apple's systems refuse longer ones. */
export const usualDays = 397;
/** A certificate that ends within so many days is due. */
export const dueDays = 30;
/** Clocks of clients may be slow. */
const slackMs = 10 * 60_000;

/** The files in a directory. */
export function ownFilesIn(directory: string): OwnFiles {
  const at = (name: string): string => join(directory, name);
  return { caFile: at('ca.crt'), caKeyFile: at('ca.key'), certFile: at('server.crt'), keyFile: at('server.key') };
}

const hostPattern = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/**
 * A host name or address as it goes into a certificate: lower case, in ASCII, IPv6 without brackets.
 * @throws `invalid-request` for what is neither.
 */
export function parseCertificateName(text: string): string {
  const bare = text.trim().replace(/^\[(.*)\]$/, '$1');
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return bare;
  if (ipaddr.IPv6.isValid(bare) && !bare.includes('%')) return ipaddr.parse(bare).toString();
  // What a URL has behind or before its host would be cut off without a word.
  const isPlain = !/[\s/\\?#@:%]/.test(bare);
  const host = bare.startsWith('*.') ? `*.${domainToASCII(bare.slice(2))}` : domainToASCII(bare);
  const isHost = isPlain && host.length <= 253 && hostPattern.test(host) && !/(?:^|\.)\d+$/.test(host);
  if (isHost) return host;
  throw fail('invalid-request', `"${text}" is neither a host name nor an address`);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Replaces a file at once, so that nobody reads half of it. */
async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const next = `${file}.${randomBytes(4).toString('hex')}.new`;
  await writeFile(next, text, { mode, flag: 'wx' });
  await rename(next, file);
}

/** Writes key and certificate; the certificate last, because it is what is looked for. */
async function writeIssued({ certificate, key }: Issued, certFile: string, keyFile: string): Promise<void> {
  await replaceFile(keyFile, key.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600);
  await replaceFile(certFile, certificate.toString(), 0o644);
}

async function readCertificate(file: string): Promise<X509Certificate | undefined> {
  const pem = await readIfThere(file);
  if (pem === undefined) return undefined;
  const [first] = parseCertificates(pem);
  if (first === undefined) throw fail('invalid-request', `${file} holds no certificate`);
  return first;
}

async function makeAuthority({ caFile, caKeyFile }: OwnFiles, now: number): Promise<Issued> {
  // Loaded when something is to be issued, which is seldom: its library would make every command start later.
  const { issueAuthority } = await import('./issue.ts');
  const name = `Slipway authority ${randomBytes(4).toString('hex')}`;
  const authority = await issueAuthority(name, { from: now - slackMs, until: now + authorityDays * dayMs });
  await writeIssued(authority, caFile, caKeyFile);
  return authority;
}

/** The authority that is there, or a new one. A certificate without its key is no authority of ours, and is not overwritten. */
async function openAuthority(files: OwnFiles, now: number): Promise<Issued> {
  const certificate = await readCertificate(files.caFile);
  if (certificate === undefined) return makeAuthority(files, now);
  const key = await readIfThere(files.caKeyFile);
  if (key === undefined) {
    const hint = 'Put the key back, or remove the certificate to make a new authority that clients have to trust anew.';
    throw fail('not-found', `the key of ${files.caFile} is missing: ${files.caKeyFile}`, { hint });
  }
  if (Date.parse(certificate.validTo) > now) return { certificate, key: createPrivateKey(key) };
  const hint = `Remove ${files.caFile} and ${files.caKeyFile} to make a new one, which clients have to trust anew.`;
  throw fail('expired', `the authority in ${files.caFile} expired on ${certificate.validTo}`, { hint });
}

/** To whole seconds, as certificates have them; never beyond the authority's own end, after which it would be worth nothing. */
function validityOf(authority: X509Certificate, { now, days }: Wish): { from: number; until: number } {
  const from = Math.max(now - slackMs, Date.parse(authority.validFrom));
  return { from, until: Math.min(now + days * dayMs, Date.parse(authority.validTo)) };
}

/**
 * Makes a server's certificate and a new key for it in a directory; the authority that is there signs it, or a new one.
 * @throws `invalid-request` for a name that is none, `not-found` when the authority's key is missing, `expired` when it has ended.
 */
export async function makeCertificate(directory: string, wish: Wish): Promise<X509Certificate> {
  const [first, ...rest] = new Set(wish.names.map(parseCertificateName));
  if (first === undefined) throw fail('invalid-request', 'a certificate needs a host name or an address');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files = ownFilesIn(directory);
  const authority = await openAuthority(files, wish.now);
  const { issueServer } = await import('./issue.ts');
  const issued = await issueServer(authority, [first, ...rest], validityOf(authority.certificate, wish));
  await writeIssued(issued, files.certFile, files.keyFile);
  return issued.certificate;
}

/** The server's certificate in a directory; undefined when there is none. */
export function findCertificate(directory: string): Promise<X509Certificate | undefined> {
  return readCertificate(ownFilesIn(directory).certFile);
}

/** Whether a certificate ends within {@link dueDays}. `now`: milliseconds since 1970. */
export function isDue({ validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validTo) - now < dueDays * dayMs;
}

/**
 * Sees to it that a directory has a certificate that is good for all the names and not due: makes or renews it, with the names that it had
 * besides. Resolves with `true` when it made one. Rejects as {@link makeCertificate} does.
 */
export async function ensureCertificate(directory: string, wish: Wish): Promise<boolean> {
  const present = await findCertificate(directory);
  const had = present === undefined ? [] : namesOf(present).map(parseCertificateName);
  const wanted = wish.names.map(parseCertificateName);
  const isGood = present !== undefined && !isDue(present, wish.now) && wanted.every((name) => had.includes(name));
  if (isGood) return false;
  await makeCertificate(directory, { ...wish, names: [...wanted, ...had] });
  return true;
}
