/** The encoding of certificates (X.690, Distinguished Encoding Rules): just what issuing one takes. */

function lengthOf(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const digits = size.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

/** One value: its tag, its length, its contents. */
export function encode(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

/** SEQUENCE. */
export function sequence(...items: readonly Buffer[]): Buffer {
  return encode(0x30, ...items);
}

/** SET of one value. */
export function setOf(item: Buffer): Buffer {
  return encode(0x31, item);
}

/** A value behind the tag `[number]` of its own (EXPLICIT). */
export function explicit(number: number, item: Buffer): Buffer {
  return encode(0xa0 | number, item);
}

/** INTEGER out of an unsigned number, most significant byte first. */
export function integer(bytes: Buffer): Buffer {
  let begin = 0;
  while (begin < bytes.length - 1 && bytes[begin] === 0) begin += 1;
  const needsSign = ((bytes[begin] ?? 0) & 0x80) !== 0;
  return encode(0x02, Buffer.alloc(needsSign ? 1 : 0), bytes.subarray(begin));
}

/** BOOLEAN TRUE, the one that is ever written: DER leaves a default of FALSE out. */
export const yes = encode(0x01, Buffer.from([0xff]));

/** BIT STRING, of whose last byte `unused` bits do not count. */
export function bitString(bytes: Buffer, unused = 0): Buffer {
  return encode(0x03, Buffer.from([unused]), bytes);
}

/** OCTET STRING. */
export function octetString(bytes: Buffer): Buffer {
  return encode(0x04, bytes);
}

/** UTF8String. */
export function utf8String(text: string): Buffer {
  return encode(0x0c, Buffer.from(text, 'utf8'));
}

function base128(value: number): readonly number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift(0x80 | (rest & 0x7f));
  return bytes;
}

/** OBJECT IDENTIFIER out of `1.2.840.10045.4.3.2`. */
export function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return encode(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A time to the second: UTCTime until 2049, GeneralizedTime after (RFC 5280, section 4.1.2.5). */
export function time(at: Date): Buffer {
  const digits = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  const isLate = at.getUTCFullYear() >= 2050;
  return encode(isLate ? 0x18 : 0x17, Buffer.from(isLate ? digits : digits.slice(2), 'ascii'));
}

/** The values inside a constructed value, each whole, with its tag and length. Reads what is known to be well-formed. */
export function childrenOf(der: Buffer): readonly Buffer[] {
  const children: Buffer[] = [];
  const { begin, end } = boundsOf(der, 0);
  for (let at = begin; at < end;) {
    const next = boundsOf(der, at).end;
    children.push(der.subarray(at, next));
    at = next;
  }
  return children;
}

function boundsOf(der: Buffer, at: number): { readonly begin: number; readonly end: number } {
  const first = der.readUInt8(at + 1);
  if (first < 0x80) return { begin: at + 2, end: at + 2 + first };
  const width = first & 0x7f;
  const begin = at + 2 + width;
  return { begin, end: begin + der.readUIntBE(at + 2, width) };
}
