/*
 * Go's strings are bytes, JavaScript's are UTF-16. Strings here are ordinary JavaScript strings; a byte that is no
 * UTF-8 (from "\xff" or b64dec) is carried as a lone low surrogate U+DC80–U+DCFF, which no well-formed text holds.
 * So lengths, slices, hashes and encodings work on the bytes that Go would see, and nothing is lost on the way.
 */
const loneSurrogate = /\p{Cs}/u;
const loneSurrogates = /\p{Cs}/gu;
const ascii = /^[\x00-\x7f]*$/;

export const replacement = '\ufffd';

export function isAscii(text: string): boolean {
  return ascii.test(text);
}

/** The byte that a lone surrogate carries, or undefined. */
export function carriedByte(char: string): number | undefined {
  const unit = char.charCodeAt(0);
  return char.length === 1 && unit >= 0xdc80 && unit <= 0xdcff ? unit - 0xdc00 : undefined;
}

/** The bytes that Go would hold for this string. */
export function toBytes(text: string): Buffer {
  if (!loneSurrogate.test(text)) return Buffer.from(text, 'utf8');
  const bytes = Buffer.alloc(text.length * 3);
  let length = 0;
  let from = 0;
  for (const match of text.matchAll(loneSurrogates)) {
    length += bytes.write(text.slice(from, match.index), length, 'utf8');
    const byte = carriedByte(match[0]);
    if (byte === undefined) length += bytes.write(replacement, length, 'utf8');
    else bytes[length++] = byte;
    from = match.index + 1;
  }
  length += bytes.write(text.slice(from), length, 'utf8');
  return bytes.subarray(0, length);
}

/** The string that carries these bytes, whether they are UTF-8 or not. */
export function fromBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  if (!text.includes(replacement)) return text;
  const units = new Uint16Array(buffer.length);
  let length = 0;
  for (let at = 0; at < buffer.length;) {
    const { code, size } = decodeAt(buffer, at);
    if (code > 0xffff) units[length++] = 0xd7c0 + (code >>> 10);
    units[length++] = code > 0xffff ? 0xdc00 + (code & 0x3ff) : code;
    at += size;
  }
  return Buffer.from(units.buffer, 0, length * 2).toString('utf16le');
}

/** The code point at `at`, or the carrier of the byte there when no well-formed sequence starts with it. */
function decodeAt(buffer: Buffer, at: number): { code: number; size: number } {
  const first = buffer[at] ?? 0;
  if (first < 0x80) return { code: first, size: 1 };
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const code = first >= 0xc2 && first < 0xf5 ? joinBits(buffer, at, size) : undefined;
  return code !== undefined && isEncodable(code, size) ? { code, size } : { code: 0xdc00 + first, size: 1 };
}

/** The bits of a sequence of `size` bytes; undefined when one of them continues nothing. */
function joinBits(buffer: Buffer, at: number, size: number): number | undefined {
  let code = (buffer[at] ?? 0) & (0x7f >>> size);
  for (let next = at + 1; next < at + size; next++) {
    const byte = buffer[next] ?? 0;
    if ((byte & 0xc0) !== 0x80) return undefined;
    code = (code << 6) | (byte & 0x3f);
  }
  return code;
}

/** Whether UTF-8 encodes the code point, and in so many bytes. */
function isEncodable(code: number, size: number): boolean {
  const least = [0, 0, 0x80, 0x800, 0x10000][size] ?? 0;
  return code >= least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

export function byteLength(text: string): number {
  if (isAscii(text)) return text.length;
  return loneSurrogate.test(text) ? toBytes(text).length : Buffer.byteLength(text, 'utf8');
}

/** `text[start:end]` as Go has it, in bytes; the caller has checked the range. */
export function sliceBytes(text: string, start: number, end?: number): string {
  if (isAscii(text)) return text.slice(start, end);
  return fromBytes(toBytes(text).subarray(start, end));
}

/** Well-formed text: what is no UTF-8 becomes U+FFFD. */
export function toWellFormed(text: string): string {
  return loneSurrogate.test(text) ? text.replaceAll(loneSurrogates, replacement) : text;
}

/** The text cut where bytes stand that are no UTF-8; they are left out. */
export function splitWellFormed(text: string): string[] {
  return text.split(loneSurrogates);
}

/** Compares as Go does, byte by byte. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  if (isAscii(a) && isAscii(b)) return a < b ? -1 : 1;
  return Buffer.compare(toBytes(a), toBytes(b));
}
