import { carriedByte } from './bytes.ts';

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const shortEscapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** Whether Go's `unicode.IsPrint` holds: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export function isPrintable(char: string): boolean {
  return printable.test(char);
}

/** `char` as it stands inside a Go literal quoted with `quote`; `asciiOnly` escapes all beyond ASCII. */
export function escapeChar(char: string, quote: string, asciiOnly: boolean): string {
  const byte = carriedByte(char);
  if (byte !== undefined) return `\\x${hex(byte, 2)}`;
  if (char === quote) return `\\${quote}`;
  const short = shortEscapes[char];
  if (short !== undefined) return short;
  const isShown = isPrintable(char) && (!asciiOnly || char < '\x80');
  return isShown ? char : escapeCode(char.codePointAt(0) ?? 0);
}

function escapeCode(code: number): string {
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

/** The Go string literal that stands for `text`, in double quotes (`strconv.Quote`). */
export function quoteString(text: string, asciiOnly = false): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  let result = '"';
  for (const char of text) result += escapeChar(char, '"', asciiOnly);
  return `${result}"`;
}

/** Whether `text` may stand between back quotes (`strconv.CanBackquote`). */
export function canBackquote(text: string): boolean {
  return !/[\x00-\x08\x0a-\x1f\x7f`\ufeff\p{Cs}]/u.test(text);
}

/** A character as error messages name it: `U+0040 '@'`. */
export function describeChar(char: string): string {
  const code = hex(char.codePointAt(0) ?? 0, 4).toUpperCase();
  return isPrintable(char) ? `U+${code} '${char}'` : `U+${code}`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0');
}
