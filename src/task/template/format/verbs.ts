import { toBytes } from '../text/bytes.ts';
import { canBackquote, escapeChar, isPrintable, quoteString } from '../text/quote.ts';
import { formatBinaryFloat, formatFloat, formatHexFloat } from './float.ts';
import { pad, type Flags } from './flags.ts';

/** The text of a string under a verb of `fmt`, or undefined when the verb is not for strings. */
export function formatString(text: string, verb: string, flags: Flags): string | undefined {
  switch (verb) {
    case 'v':
      return flags.goSyntax ? pad(quote(text, flags), flags) : pad(truncate(text, flags), flags);
    case 's':
      return pad(truncate(text, flags), flags);
    case 'q':
      return pad(quote(truncate(text, flags), flags), flags);
    case 'x':
    case 'X':
      return pad(hexBytes(text, verb, flags), flags);
    default:
      return undefined;
  }
}

function truncate(text: string, { precision }: Flags): string {
  if (precision === undefined || text.length <= precision) return text;
  return Array.from(text).slice(0, precision).join('');
}

function quote(text: string, { sharp, plus }: Flags): string {
  return sharp && canBackquote(text) ? `\`${text}\`` : quoteString(text, plus);
}

function hexBytes(text: string, verb: string, { precision, sharp, space }: Flags): string {
  const bytes = toBytes(text).subarray(0, precision);
  const prefix = sharp && bytes.length > 0 ? '0x' : '';
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  const joined = prefix + pairs.join(space ? ` ${prefix}` : '');
  return verb === 'X' ? joined.toUpperCase() : joined;
}

const bases: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

/** The text of an integer under a verb of `fmt`, or undefined when the verb is not for integers. */
export function formatInteger(value: bigint, verb: string, flags: Flags): string | undefined {
  const base = bases[verb];
  if (base !== undefined) return padInteger(value, base, verb, flags);
  const char = charOf(value);
  switch (verb) {
    case 'c':
      return pad(char, flags);
    case 'q':
      return pad(`'${escapeChar(char, "'", flags.plus)}'`, flags);
    case 'U':
      return formatUnicode(value, char, flags);
    default:
      return undefined;
  }
}

function charOf(value: bigint): string {
  const isCodePoint = value >= 0n && value <= 0x10ffffn && (value < 0xd800n || value > 0xdfffn);
  return isCodePoint ? String.fromCodePoint(Number(value)) : '\ufffd';
}

/** `U+0041`, with `#` followed by the character. */
function formatUnicode(value: bigint, char: string, flags: Flags): string {
  const digits = BigInt.asUintN(64, value).toString(16).toUpperCase();
  const shown = flags.sharp && isPrintable(char) ? ` '${char}'` : '';
  return pad(`U+${digits.padStart(Math.max(4, flags.precision ?? 0), '0')}${shown}`, { ...flags, zero: false });
}

function padInteger(value: bigint, base: number, verb: string, flags: Flags): string {
  const sign = value < 0n ? '-' : positiveSign(flags);
  const magnitude = (value < 0n ? -value : value).toString(base);
  const plain = { ...flags, zero: false };
  if (flags.precision === 0 && value === 0n) return pad('', plain);
  const padded = magnitude.padStart(flags.precision ?? widthForZeros(flags, sign), '0');
  const prefix = flags.sharp ? basePrefix(base, padded) : '';
  const digits = (verb === 'O' ? '0o' : prefix) + padded;
  return pad(sign + (verb === 'X' ? digits.toUpperCase() : digits), plain);
}

/** Digits that fill the width, when it is to be filled with zeros. */
function widthForZeros({ zero, width }: Flags, sign: string): number {
  return zero && width !== undefined ? width - sign.length : 0;
}

function positiveSign({ plus, space }: Flags): string {
  return plus ? '+' : space ? ' ' : '';
}

function basePrefix(base: number, digits: string): string {
  if (base === 2) return '0b';
  if (base === 16) return '0x';
  return base === 8 && !digits.startsWith('0') ? '0' : '';
}

const defaultPrecision: Readonly<Record<string, number>> = { e: 6, E: 6, f: 6, F: 6 };

/** The text of a float under a verb of `fmt`, or undefined when the verb is not for floats. */
export function formatFloatVerb(value: number, verb: string, flags: Flags): string | undefined {
  if (!'vgGeEfFbxX'.includes(verb)) return undefined;
  const precision = flags.precision ?? defaultPrecision[verb] ?? -1;
  const text = floatText(value, verb, precision);
  // An infinity keeps its plus, unless a space takes its place.
  const bare = Number.isFinite(value) || flags.space ? text.replace(/^\+/, '') : text;
  const signed = /^[+-]/.test(bare) ? bare : positiveSign(flags) + bare;
  return padFloat(signed, flags, Number.isFinite(value));
}

function floatText(value: number, verb: string, precision: number): string {
  if (verb === 'b') return formatBinaryFloat(value);
  if (verb === 'x') return formatHexFloat(value);
  if (verb === 'X') return formatHexFloat(value).toUpperCase();
  return formatFloat(value, verb === 'v' ? 'g' : verb === 'F' ? 'f' : verb, precision);
}

/** Zeros go between sign and digits. */
function padFloat(text: string, flags: Flags, isFinite: boolean): string {
  if (!flags.zero || !isFinite || flags.width === undefined) return pad(text, { ...flags, zero: false });
  const sign = /^[+\- ]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(flags.width - sign.length, '0');
}
