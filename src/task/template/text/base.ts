/** The bytes of padded standard base64, or the offset of the first byte that is wrong. Line ends are passed over. */
export function decodeBase64(text: string): Buffer | number {
  return findFault(text, { digit: /[A-Za-z0-9+/]/, group: 4 }) ?? Buffer.from(text, 'base64');
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Standard base32 with padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let result = '';
  let value = 0;
  let bits = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0x1fff;
    for (bits += 8; bits >= 5; bits -= 5) result += alphabet[(value >>> (bits - 5)) & 31] ?? '';
  }
  if (bits > 0) result += alphabet[(value << (5 - bits)) & 31] ?? '';
  return result.padEnd(Math.ceil(result.length / 8) * 8, '=');
}

/** The bytes of padded standard base32, or the offset of the first byte that is wrong. */
export function decodeBase32(text: string): Buffer | number {
  const fault = findFault(text, { digit: /[A-Z2-7]/, group: 8 });
  if (fault !== undefined) return fault;
  const bytes: number[] = [];
  let value = 0;
  let bits = 0;
  for (const char of text.replaceAll(/[\r\n=]/g, '')) {
    value = ((value << 5) | alphabet.indexOf(char)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >>> bits) & 0xff);
    }
  }
  return Buffer.from(bytes);
}

interface Digits {
  readonly digit: RegExp;
  /** Characters that stand for whole bytes together. */
  readonly group: 4 | 8;
}

/** The offset of the first character that cannot stand where it stands; undefined when all is well. */
function findFault(text: string, { digit, group }: Digits): number | undefined {
  const body = /^[^=]*/.exec(text)?.[0] ?? '';
  let digits = 0;
  for (let at = 0; at < body.length; at++) {
    const char = body[at] ?? '';
    if (char === '\n' || char === '\r') continue;
    if (!digit.test(char)) return at;
    digits++;
  }
  const rest = digits % group;
  if (body.length === text.length) return rest === 0 ? undefined : text.length - rest;
  return paddingFault(text, body.length, { rest, group });
}

/** Digits that may be left over in the last group: those that make whole bytes. */
const remainders: Readonly<Record<4 | 8, readonly number[]>> = { 4: [2, 3], 8: [2, 4, 5, 7] };

function paddingFault(
  text: string,
  start: number,
  { rest, group }: { rest: number; group: 4 | 8 },
): number | undefined {
  if (!remainders[group].includes(rest)) return start;
  let missing = group - rest;
  for (let at = start; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '\n' || char === '\r') continue;
    if (missing === 0) return at;
    if (char !== '=') return at - 1;
    missing--;
  }
  return missing === 0 ? undefined : text.length;
}
