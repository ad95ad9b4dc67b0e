import { parseInteger } from '../syntax/numbers.ts';
import { GoInt, GoList, type Value } from '../value.ts';
import { refuse } from '../faults.ts';
import type { Environment } from './define.ts';

/** Sprig's `toString`: a string as it is, anything else as `%v` prints it. */
export function textOf(value: Value, env: Environment): string {
  return typeof value === 'string' ? value : env.print(value);
}

const decimal = /^[+-]?\d+$/;
const min64 = -(2n ** 63n);
const max64 = 2n ** 63n - 1n;

/** `strconv.ParseInt(text, base, 64)` for base 8 or 10; undefined for what is no such number or does not fit. */
export function parseIntText(text: string, base: 8 | 10): bigint | undefined {
  if (text.length > 64 || !decimal.test(text) || (base === 8 && /[89]/.test(text))) return undefined;
  const value = parseInteger(base === 8 ? text.replace(/\d/, '0o$&') : text.replace(/^([+-]?)0+(?=\d)/, '$1'));
  return value === undefined || value < min64 || value > max64 ? undefined : value;
}

/**
 * Sprig's conversion to `int64`: strings in decimal (no number is 0), floats cut to whole numbers, booleans 1 and 0,
 * anything else 0.
 */
export function toInt64(value: Value): bigint {
  if (typeof value === 'string') return parseIntText(value, 10) ?? 0n;
  if (typeof value === 'number') return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : min64;
  if (value instanceof GoInt) return value.value;
  return value === true ? 1n : 0n;
}

const float = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const special: Readonly<Record<string, number>> = { inf: Infinity, infinity: Infinity, nan: Number.NaN };

/** `strconv.ParseFloat`; undefined for what is no number. */
export function parseFloatText(text: string): number | undefined {
  const [, sign, word = ''] = /^([+-]?)(inf|infinity|nan)$/i.exec(text) ?? [];
  const named = special[word.toLowerCase()];
  if (named !== undefined) return sign === '-' ? -named : named;
  if (text.length > 1000 || !float.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Sprig's conversion to `float64`, by the rules of {@link toInt64}. */
export function toFloat64(value: Value): number {
  if (typeof value === 'string') return parseFloatText(value) ?? 0;
  if (typeof value === 'number') return value;
  if (value instanceof GoInt) return Number(value.value);
  return value === true ? 1 : 0;
}

/** The items of a list; `what` begins the message for another type. */
export function itemsOf(value: Value, what: string): readonly Value[] {
  if (value instanceof GoList) return value.items;
  if (value === null || value === undefined) {
    throw refuse(`${what} nil`, 'The list is missing: give it one with default, as in default (list).');
  }
  throw refuse(`${what} ${describe(value)}`);
}

function describe(value: Value): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  return value instanceof GoInt ? 'int' : 'map';
}

/** Sprig's `toStrings`: the items that are not nil, as text; a value that is no list counts as one item. */
export function textItems(value: Value, env: Environment): string[] {
  if (value === null || value === undefined) return [];
  if (!(value instanceof GoList)) return [textOf(value, env)];
  return value.items.filter((item) => item !== null && item !== undefined).map((item) => textOf(item, env));
}
