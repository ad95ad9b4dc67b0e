import { int, int64, type Value } from '../value.ts';
import { parseIntText, textOf, toFloat64, toInt64 } from './convert.ts';
import { refuse } from '../faults.ts';
import { fn, variadic, type FunctionTable } from './define.ts';

const integers = (values: readonly Value[]): bigint[] => values.map(toInt64);

/** Wraps around at 64 bits after each step, as Go does; this also keeps a long product from growing without bound. */
const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);

const divide = (operation: (a: bigint, b: bigint) => bigint) =>
  fn(['any', 'any'], ([a, b]) => {
    const divisor = toInt64(b);
    if (divisor === 0n) throw refuse('runtime error: integer divide by zero');
    return int64(operation(toInt64(a), divisor));
  });

const extreme = (isBetter: (a: bigint, b: bigint) => boolean) =>
  variadic(['any'], 'any', ([first], more) => {
    return int64(integers(more).reduce((best, value) => (isBetter(value, best) ? value : best), toInt64(first)));
  });

const max = extreme((a, b) => a > b);

/** Rounds to `places` digits after the point: away from zero from `limit` on, but towards zero below 0, as Sprig does. */
function round(value: number, places: number, limit: number): number {
  const scale = 10 ** places;
  const scaled = scale * value;
  const fraction = scaled - Math.trunc(scaled);
  return (fraction >= limit ? Math.ceil(scaled) : Math.floor(scaled)) / scale;
}

type FloatOperation = (a: Decimal, b: Decimal) => Decimal;

/** A decimal number: digits × 10^exponent. Later versions of Sprig add floats as decimals, so that 0.1 + 0.2 is 0.3. */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

function toDecimal(value: Value): Decimal {
  const number = toFloat64(value);
  if (!Number.isFinite(number)) throw refuse('Cannot create a Decimal from an infinite value or NaN');
  const [mantissa = '0', exponent = '0'] = number.toExponential().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

function fromDecimal({ digits, exponent }: Decimal): number {
  return Number(`${digits}e${exponent}`);
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return exponent >= to ? digits * 10n ** BigInt(exponent - to) : 0n;
}

/** Digits that a sum may have; a double has 17, so that a far smaller number changes nothing. */
const maxSpread = 60;

const sum =
  (sign: bigint): FloatOperation =>
  (a, b) => {
    const exponent = Math.max(Math.min(a.exponent, b.exponent), Math.max(a.exponent, b.exponent) - maxSpread);
    return { digits: scaled(a, exponent) + sign * scaled(b, exponent), exponent };
  };
const quotient: FloatOperation = (a, b) => {
  if (b.digits === 0n) throw refuse('decimal division by 0');
  return toDecimal(fromDecimal(a) / fromDecimal(b));
};
const exactProduct: FloatOperation = (a, b) => ({ digits: a.digits * b.digits, exponent: a.exponent + b.exponent });

function compute(first: Value, more: readonly Value[], operation: FloatOperation): number {
  // Back to a double after each step, so that no number of arguments makes the digits grow.
  return more.reduce<number>(
    (result, value) => fromDecimal(operation(toDecimal(result), toDecimal(value))),
    toFloat64(first),
  );
}

const floats = (operation: FloatOperation) =>
  variadic(['any'], 'any', ([first], more, env) => {
    env.budget.spend(8 * more.length);
    return compute(first, more, operation);
  });

/** Sprig's arithmetic: on `int64`, and under names with `f` on floats. */
export const mathFunctions: FunctionTable = {
  add: variadic([], 'any', (_none, values) => int64(integers(values).reduce((a, b) => wrap(a + b), 0n))),
  add1: fn(['any'], ([value]) => int64(toInt64(value) + 1n)),
  sub: fn(['any', 'any'], ([a, b]) => int64(toInt64(a) - toInt64(b))),
  mul: variadic(['any'], 'any', ([first], more) => int64(integers(more).reduce((a, b) => wrap(a * b), toInt64(first)))),
  div: divide((a, b) => a / b),
  mod: divide((a, b) => a % b),
  max,
  biggest: max,
  min: extreme((a, b) => a < b),
  floor: fn(['any'], ([value]) => Math.floor(toFloat64(value))),
  ceil: fn(['any'], ([value]) => Math.ceil(toFloat64(value))),
  round: variadic(['any', 'int'], 'float64', ([value, places], [limit]) =>
    round(toFloat64(value), places, limit ?? 0.5),
  ),
  addf: variadic([], 'any', (_none, values, env) => {
    env.budget.spend(8 * values.length);
    return compute(0, values, sum(1n));
  }),
  add1f: fn(['any'], ([value]) => compute(value, [1], sum(1n))),
  subf: floats(sum(-1n)),
  mulf: floats(exactProduct),
  divf: floats(quotient),
  maxf: variadic(['any'], 'any', ([first], more) => Math.max(toFloat64(first), ...more.map(toFloat64))),
  minf: variadic(['any'], 'any', ([first], more) => Math.min(toFloat64(first), ...more.map(toFloat64))),
  int: fn(['any'], ([value]) => int(toInt64(value))),
  int64: fn(['any'], ([value]) => int64(toInt64(value))),
  float64: fn(['any'], ([value]) => toFloat64(value)),
  atoi: fn(['string'], ([text]) => int(parseIntText(text, 10) ?? 0n)),
  toDecimal: fn(['any'], ([value], env) => int64(parseIntText(textOf(value, env), 8) ?? 0n)),
};
