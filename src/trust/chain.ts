import type { Certificate } from './certificate.ts';
import { refuse } from './refusal.ts';

const [digitalSignature, keyCertSign] = [0x8000, 0x0400];
/** Everything but digitalSignature and contentCommitment. */
const forbiddenToLeaf = 0x3fff;
/** anyExtendedKeyUsage, serverAuth, clientAuth, emailProtection, timeStamping. */
const forbiddenUsages = ['2.5.29.37.0', ...['1', '2', '4', '8'].map((last) => `1.3.6.1.5.5.7.3.${last}`)];

/** Certificates from the signer's up, what is trusted, and the times at which all of them must be valid. */
export interface ChainQuestion {
  readonly chain: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  /** Milliseconds since the epoch, each with its name for the refusal. */
  readonly times: readonly { readonly at: number; readonly name: string }[];
}

/**
 * Judges a signer's certificates by the rules of the Notary Project's signature specification ("Certificate
 * Requirements"): ordered, unbroken, each fit for its place, and one of them (or the issuer of the last) a certificate
 * that the policy names.
 * @returns the signer's certificate, and when the first of all stops being valid.
 * @throws RefusedSignature
 */
export function judgeChain({ chain, anchors, times }: ChainQuestion): { leaf: Certificate; notAfter: number } {
  const [leaf] = chain;
  if (leaf === undefined) throw refuse('it carries no certificates');
  const path = [...chain, ...findIssuer(chain, anchors)];
  const isAnchored = path.some((each) => anchors.some((anchor) => anchor.x509.raw.equals(each.x509.raw)));
  if (!isAnchored) throw refuse(`the certificate of ${leaf.name} leads to none that the policy names`);
  // From the trusted end down: a key is used only after the certificate above has vouched for it.
  for (let at = path.length - 1; at > 0; at -= 1) judgeIssuer(path, at);
  judgeLeaf(leaf);
  for (const each of path) judgeTimes(each, times);
  return { leaf, notAfter: Math.min(...path.map(({ notAfter }) => notAfter)) };
}

/** The anchor that issued the last certificate of a chain that leaves it out. */
function findIssuer(chain: readonly Certificate[], anchors: readonly Certificate[]): readonly Certificate[] {
  const last = chain.at(-1);
  if (last === undefined || anchors.some((anchor) => anchor.x509.raw.equals(last.x509.raw))) return [];
  const issuer = anchors.find((anchor) => isIssuedBy(last, anchor));
  return issuer === undefined ? [] : [issuer];
}

function isIssuedBy(subject: Certificate, issuer: Certificate): boolean {
  try {
    return subject.x509.checkIssued(issuer.x509) && subject.x509.verify(issuer.key.key);
  } catch {
    return false;
  }
}

function judgeIssuer(path: readonly Certificate[], at: number): void {
  const [subject, issuer] = [path[at - 1], path[at]];
  if (subject === undefined || issuer === undefined) return;
  judgeAuthority(issuer, at - 1);
  if (!subject.isSoundlySigned) throw refuse(`the certificate of ${subject.name} is signed with a broken algorithm`);
  if (!isIssuedBy(subject, issuer)) throw refuse(`the certificate of ${subject.name} was not issued by ${issuer.name}`);
}

/** @param below how many authorities stand between it and the signer. */
function judgeAuthority({ basicConstraints, keyUsage, name }: Certificate, below: number): void {
  if (basicConstraints?.isCritical !== true || !basicConstraints.isCa)
    throw refuse(`${name} is no certificate authority`);
  if (keyUsage?.isCritical !== true || (keyUsage.bits & keyCertSign) === 0)
    throw refuse(`${name} may not sign certificates`);
  if ((basicConstraints.pathLength ?? below) < below)
    throw refuse(`${name} may not stand above ${String(below)} authorities`);
}

function judgeLeaf({ name, basicConstraints, keyUsage, extendedKeyUsage = [] }: Certificate): void {
  if (basicConstraints?.isCa === true) throw refuse(`${name} is a certificate authority, which may not sign images`);
  if (keyUsage?.isCritical !== true || (keyUsage.bits & digitalSignature) === 0)
    throw refuse(`the certificate of ${name} is not for signatures`);
  if ((keyUsage.bits & forbiddenToLeaf) !== 0) throw refuse(`the certificate of ${name} is for more than signatures`);
  const usage = extendedKeyUsage.find((each) => forbiddenUsages.includes(each));
  if (usage !== undefined) throw refuse(`the certificate of ${name} is for another use (${usage})`);
}

function judgeTimes({ name, notBefore, notAfter }: Certificate, times: ChainQuestion['times']): void {
  for (const time of times) {
    if (time.at < notBefore)
      throw refuse(`the certificate of ${name} was not valid ${time.name}; it begins ${textOf(notBefore)}`);
    if (time.at > notAfter)
      throw refuse(`the certificate of ${name} was not valid ${time.name}; it ended ${textOf(notAfter)}`);
  }
}

/** Certificates may name years that JavaScript cannot. */
function textOf(at: number): string {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : 'far off';
}
