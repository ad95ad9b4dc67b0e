import { sign, type KeyObject } from 'node:crypto';

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

/** A certificate to be made; what is left out is as a good signer's certificate has it. */
export interface CertificateWish {
  readonly name: string;
  readonly keys: Pair;
  readonly issuer?: { readonly name: string; readonly keys: Pair };
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** The two octets of keyUsage: 0x8000 is digitalSignature, 0x0400 keyCertSign; none leaves the extension out. */
  readonly keyUsage?: number | 'none';
  readonly isCritical?: boolean;
  readonly extendedKeyUsage?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly hash?: 'sha1' | 'sha256';
}

/** Makes a certificate in DER (RFC 5280), signed by its issuer or by itself. */
export function makeCertificate(wish: CertificateWish): Buffer {
  const issuer = wish.issuer ?? wish;
  const algorithm = algorithmOf(issuer.keys.privateKey, wish.hash ?? 'sha256');
  const body = sequence(
    tlv(0xa0, integer(2)),
    integer(7),
    algorithm.der,
    name(issuer.name),
    sequence(time(wish.from ?? '2026-01-01T00:00:00Z'), time(wish.to ?? '2027-01-01T00:00:00Z')),
    name(wish.name),
    wish.keys.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensionsOf(wish))),
  );
  return sequence(body, algorithm.der, bits(sign(algorithm.hash, body, issuer.keys.privateKey), 0));
}

export function toPem(der: Buffer): string {
  const lines = der.toString('base64').replace(/(.{64})/g, '$1\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function extensionsOf(wish: CertificateWish): Buffer[] {
  const isCa = wish.ca === true;
  const usage = wish.keyUsage ?? (isCa ? 0x0600 : 0x8000);
  const isCritical = wish.isCritical ?? true;
  const length = wish.pathLength === undefined ? [] : [integer(wish.pathLength)];
  const usages = wish.extendedKeyUsage ?? (isCa ? undefined : ['1.3.6.1.5.5.7.3.3']);
  return [
    ...(isCa ? [extension('2.5.29.19', sequence(truth(), ...length), isCritical)] : []),
    ...(usage === 'none' ? [] : [extension('2.5.29.15', usageBits(usage), isCritical)]),
    ...(usages === undefined ? [] : [extension('2.5.29.37', sequence(...usages.map(oid)), false)]),
  ];
}

function usageBits(usage: number): Buffer {
  const bytes = (usage & 0xff) === 0 ? [usage >> 8] : [usage >> 8, usage & 0xff];
  return bits(Buffer.from(bytes), 0);
}

function algorithmOf(key: KeyObject, hash: 'sha1' | 'sha256'): { der: Buffer; hash: string | null } {
  if (key.asymmetricKeyType === 'ed25519') return { der: sequence(oid('1.3.101.112')), hash: null };
  if (key.asymmetricKeyType === 'rsa')
    return { der: sequence(oid(hash === 'sha1' ? '1.2.840.113549.1.1.5' : '1.2.840.113549.1.1.11'), tlv(5)), hash };
  return { der: sequence(oid(hash === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2')), hash };
}

function extension(id: string, value: Buffer, isCritical: boolean): Buffer {
  return sequence(oid(id), ...(isCritical ? [truth()] : []), tlv(0x04, value));
}

function name(common: string): Buffer {
  return sequence(tlv(0x31, sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(common)))));
}

function time(iso: string): Buffer {
  const text = new Date(iso).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return tlv(0x18, Buffer.from(`${text}Z`));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(baseOf128)]));
}

function baseOf128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

const truth = () => tlv(0x01, Buffer.from([0xff]));
const integer = (value: number) => tlv(0x02, Buffer.from([value]));
const bits = (value: Buffer, unused: number) => tlv(0x03, Buffer.concat([Buffer.from([unused]), value]));
const sequence = (...parts: Buffer[]) => tlv(0x30, ...parts);

function tlv(tag: number, ...parts: Buffer[]): Buffer {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), contents]);
}
