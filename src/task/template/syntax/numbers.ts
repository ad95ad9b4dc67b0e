import { TemplateFault } from '../faults.ts';
import { quoteString } from '../text/quote.ts';

const maxInt = 2n ** 63n - 1n;
const maxUint = 2n ** 64n - 1n;

/** A number as it is written: what it is as an integer and as a float, where it can be either. */
export interface NumberLiteral {
  readonly text: string;
  /** Its value as an integer, when it is one that 64 bits hold. */
  readonly int: bigint | undefined;
  readonly float: number;
  /** Whether an untyped place gives it as float64: it has a point or an exponent. */
  readonly isFloat: boolean;
}

/**
 * Reads a Go number: decimal, 0x, 0o, 0b, a leading 0 for octal, `_` between digits, floats and hexadecimal floats.
 * @throws TemplateFault for what is no number, or an integer that 64 bits cannot hold.
 */
export function parseNumber(text: string): NumberLiteral {
  // The usual ones, without the detours that the others need.
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return { text, int: BigInt(text), float: Number(text), isFloat: false };
  return parseAnyNumber(text);
}

function parseAnyNumber(text: string): NumberLiteral {
  const int = parseInteger(text);
  const isFloat = /[.eEpP]/.test(text) && !/^0[xX][^pP]*$/.test(text);
  if (int !== undefined) {
    if (int > maxUint || int < -maxInt - 1n) throw new TemplateFault(`integer overflow: ${quoteString(text)}`);
    if (int > maxInt) return { text, int: undefined, float: Number(int), isFloat: false };
    return { text, int, float: Number(int), isFloat };
  }
  const float = parseFloatLiteral(text);
  if (float === undefined) throw new TemplateFault(`illegal number syntax: ${quoteString(text)}`);
  if (!/[.eEpP]/.test(text)) throw new TemplateFault(`integer overflow: ${quoteString(text)}`);
  const isWhole = Number.isInteger(float) && Math.abs(float) < 2 ** 63;
  return { text, int: isWhole ? BigInt(float) : undefined, float, isFloat };
}

/** Digits by base, behind the prefix that JavaScript has for it. */
const integers: readonly (readonly [string, RegExp])[] = [
  ['', /^(0|[1-9][0-9]*(?:_[0-9]+)*)$/],
  ['0x', /^0[xX](_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)$/],
  ['0o', /^0[oO]?(_?[0-7]+(?:_[0-7]+)*)$/],
  ['0b', /^0[bB](_?[01]+(?:_[01]+)*)$/],
];

/** `strconv.ParseInt(text, 0, …)` without a bound; undefined for what is no integer. */
export function parseInteger(text: string): bigint | undefined {
  const magnitude = text.replace(/^[+-]/, '');
  for (const [prefix, pattern] of integers) {
    const digits = pattern.exec(magnitude)?.[1];
    if (digits === undefined) continue;
    const value = BigInt(prefix + digits.replaceAll('_', ''));
    return text.startsWith('-') ? -value : value;
  }
  return undefined;
}

const decimalFloat = /^[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/;
const hexFloat = /^([+-]?)0[xX]([0-9a-fA-F_]*)(?:\.([0-9a-fA-F_]*))?[pP]([+-]?\d+)$/;

/** `strconv.ParseFloat` of a literal; undefined for what is no float or is out of range. */
export function parseFloatLiteral(text: string): number | undefined {
  const hex = hexFloat.exec(text);
  if (hex !== null) return finite(hexValue(hex));
  if (!decimalFloat.test(text)) return undefined;
  return finite(Number(text.replaceAll('_', '')));
}

function hexValue([, sign, whole = '', fraction = '', exponent = '0']: RegExpExecArray): number {
  const digits = (whole + fraction).replaceAll('_', '');
  const scale = Number(exponent) - 4 * fraction.replaceAll('_', '').length;
  if (digits === '' || digits.length > 200) return Number.NaN;
  return (sign === '-' ? -1 : 1) * Number(BigInt(`0x${digits}`)) * 2 ** scale;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
