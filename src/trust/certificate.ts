import { X509Certificate } from 'node:crypto';
import { derTag, readDer, readSequence, type DerValue } from './der.ts';
import { describeKey, type TrustedKey } from './keys.ts';
import { limits } from './limits.ts';
import { quote } from './refusal.ts';

/** A certificate, and what of it decides whether it may sign (RFC 5280). */
export interface Certificate {
  readonly x509: X509Certificate;
  /** Its subject, for people: `CN=build, O=Example`. */
  readonly name: string;
  readonly key: TrustedKey;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** False when it is signed with SHA-1, MD5 or anything else that is not known to be sound. */
  readonly isSoundlySigned: boolean;
  readonly basicConstraints?: { readonly isCritical: boolean; readonly isCa: boolean; readonly pathLength?: number };
  /** The bits of keyUsage as one number: digitalSignature is 0x8000, decipherOnly 0x0080. */
  readonly keyUsage?: { readonly isCritical: boolean; readonly bits: number };
  /** Dotted numbers of the extended key usages; undefined without the extension. */
  readonly extendedKeyUsage?: readonly string[];
}

/** PKCS #1 v1.5, ECDSA with SHA-2 and Ed25519, as the hexadecimal contents of their OIDs. */
const soundAlgorithms = [
  '2a864886f70d01010b',
  '2a864886f70d01010c',
  '2a864886f70d01010d',
  '2a8648ce3d040302',
  '2a8648ce3d040303',
  '2a8648ce3d040304',
  '2b6570',
];
const pss = '2a864886f70d01010a';
/** SHA-256, SHA-384, SHA-512: PSS names its hash in its parameters, and means SHA-1 when it names none. */
const soundHashes = ['608648016503040201', '608648016503040202', '608648016503040203'];
const [basicConstraintsId, keyUsageId] = ['551d13', '551d0f'];

/** Reads a certificate in DER; one sentence says what is wrong with it. */
export function readCertificate(der: Buffer): Certificate | string {
  if (der.length > limits.certificateBytes) return 'the certificate is too large';
  try {
    return describeCertificate(new X509Certificate(der));
  } catch {
    return 'the certificate cannot be read';
  }
}

/** Reads the certificates of a text in PEM; one sentence says what is wrong with it. */
export function readCertificates(pem: string): readonly Certificate[] | string {
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0) return 'this is no certificate in PEM (-----BEGIN CERTIFICATE-----)';
  const certificates: Certificate[] = [];
  for (const [, body = ''] of blocks) {
    const certificate = readCertificate(Buffer.from(body, 'base64'));
    if (typeof certificate === 'string') return certificate;
    certificates.push(certificate);
  }
  return certificates;
}

function describeCertificate(x509: X509Certificate): Certificate | string {
  const key = describeKey(x509.publicKey);
  if (typeof key === 'string') return `the certificate's key: ${key}`;
  const [body, algorithm] = readSequence(x509.raw) ?? [];
  const [notBefore, notAfter] = [Date.parse(x509.validFrom), Date.parse(x509.validTo)];
  if (body === undefined || algorithm === undefined || Number.isNaN(notBefore) || Number.isNaN(notAfter))
    return 'the certificate cannot be read';
  const extensions = readExtensions(body);
  if (extensions === undefined) return "the certificate's extensions cannot be read";
  // Node gives extended key usages under this name, and none as undefined; its types say otherwise.
  const extendedKeyUsage = x509.keyUsage as string[] | undefined;
  return {
    x509,
    key,
    notBefore,
    notAfter,
    name: quote(x509.subject.split('\n').reverse().join(', ')),
    isSoundlySigned: isSoundAlgorithm(algorithm),
    ...extensions,
    ...(extendedKeyUsage !== undefined && { extendedKeyUsage }),
  };
}

function isSoundAlgorithm(algorithm: DerValue): boolean {
  const oid = readDer(algorithm.contents)?.[0]?.contents.toString('hex') ?? '';
  if (oid !== pss) return soundAlgorithms.includes(oid);
  const parameters = algorithm.contents.toString('hex');
  return soundHashes.some((hash) => parameters.includes(hash));
}

type Extensions = Pick<Certificate, 'basicConstraints' | 'keyUsage'>;

/** Reads the two extensions that Node does not give. Undefined when an extension occurs twice or is malformed. */
function readExtensions(body: DerValue): Extensions | undefined {
  const holder = readDer(body.contents)?.find(({ tag }) => tag === 0xa3);
  const list = holder === undefined ? [] : readSequence(holder.contents);
  const extensions = list?.map(readExtension);
  if (extensions === undefined || extensions.includes(undefined)) return undefined;
  const byId = new Map(extensions.map((extension) => [extension?.id, extension]));
  if (byId.size !== extensions.length) return undefined;
  const [constraints, usage] = [byId.get(basicConstraintsId), byId.get(keyUsageId)];
  return {
    ...(constraints !== undefined && { basicConstraints: readConstraints(constraints) }),
    ...(usage !== undefined && { keyUsage: readUsage(usage) }),
  };
}

interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
}

function readExtension({ contents }: DerValue): Extension | undefined {
  const parts = readDer(contents) ?? [];
  const [id, value] = [parts[0], parts.at(-1)];
  if (id?.tag !== derTag.oid || value?.tag !== derTag.octets) return undefined;
  return { id: id.contents.toString('hex'), isCritical: isTrue(parts[1]), value: value.contents };
}

function isTrue(value: DerValue | undefined): boolean {
  return value?.tag === derTag.boolean && value.contents[0] === 0xff;
}

function readConstraints({ value, isCritical }: Extension): NonNullable<Extensions['basicConstraints']> {
  const parts = readSequence(value) ?? [];
  const isCa = isTrue(parts[0]);
  const length = parts.find(({ tag }) => tag === derTag.integer)?.contents;
  const pathLength = length === undefined ? {} : { pathLength: length.length === 1 ? (length[0] ?? 0) : 255 };
  return { isCritical, isCa, ...pathLength };
}

function readUsage({ value, isCritical }: Extension): NonNullable<Extensions['keyUsage']> {
  const [bits] = readDer(value) ?? [];
  if (bits?.tag !== derTag.bitString) return { isCritical, bits: 0 };
  return { isCritical, bits: ((bits.contents[1] ?? 0) << 8) | (bits.contents[2] ?? 0) };
}
