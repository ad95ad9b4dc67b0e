/** Digits of a positive value in scientific form, `d.ddd`, and the power of ten; rounded half to even. */
function parts(value: number, fractionDigits?: number): { mantissa: string; exponent: number } {
  const [mantissa = '0', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (fractionDigits === undefined || value === 0) return { mantissa, exponent };
  const digits = roundScaled(value, fractionDigits - exponent).toString();
  const shown = digits.slice(0, fractionDigits + 1);
  const point = fractionDigits > 0 ? '.' : '';
  const carry = digits.length - (fractionDigits + 1);
  return { mantissa: shown.slice(0, 1) + point + shown.slice(1), exponent: exponent + carry };
}

/** value × 10^digits as a whole number, rounded exactly, half to even (JavaScript's own functions round half up). */
function roundScaled(value: number, digits: number): bigint {
  const { mantissa, exponent } = decompose(value);
  const numerator = mantissa * 2n ** BigInt(Math.max(exponent, 0)) * 10n ** BigInt(Math.max(digits, 0));
  const denominator = 2n ** BigInt(Math.max(-exponent, 0)) * 10n ** BigInt(Math.max(-digits, 0));
  const quotient = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  const isUp = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return isUp ? quotient + 1n : quotient;
}

/** Digits after which those of any double have ended. */
const maxDigits = 1100;

function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0);
}

/**
 * Prints a float as `strconv.FormatFloat` does. `verb` is one of e, E, f, g, G; `precision` −1 asks for the shortest
 * text that reads back the same. Beyond 1100 digits a double has zeros alone.
 */
export function formatFloat(value: number, verb: string, precision: number): string {
  if (Number.isNaN(value)) return 'NaN';
  const sign = isNegative(value) ? '-' : '';
  if (!Number.isFinite(value)) return sign === '' ? '+Inf' : '-Inf';
  const digits = Math.min(precision, maxDigits);
  const text = formatMagnitude(Math.abs(value), verb.toLowerCase(), digits);
  return sign + (verb === verb.toUpperCase() ? text.toUpperCase() : text);
}

function formatMagnitude(value: number, verb: string, precision: number): string {
  if (verb === 'e') return scientific(value, precision);
  if (verb === 'f') return precision < 0 ? plain(value) : fixed(value, precision);
  return general(value, precision);
}

function scientific(value: number, precision: number): string {
  const { mantissa, exponent } = parts(value, precision < 0 ? undefined : precision);
  const zeros = value === 0 && precision > 0 ? `.${'0'.repeat(precision)}` : '';
  return `${mantissa}${zeros}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** The shortest digits, without an exponent. */
function plain(value: number): string {
  const { mantissa, exponent } = parts(value);
  return place(mantissa.replace('.', ''), exponent);
}

/** Sets the point in digits of which the first has the weight 10^exponent. */
function place(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0');
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** Exactly rounded digits after the point. */
function fixed(value: number, precision: number): string {
  const digits = roundScaled(value, precision)
    .toString()
    .padStart(precision + 1, '0');
  return precision === 0 ? digits : `${digits.slice(0, -precision)}.${digits.slice(-precision)}`;
}

/** `%g`: an exponent below 1e-4 and from 10^precision on, or from 1e6 on in the shortest form. */
function general(value: number, precision: number): string {
  const wanted = precision === 0 ? 1 : precision;
  const { mantissa, exponent } =
    value === 0 ? { mantissa: '0', exponent: 0 } : parts(value, wanted < 0 ? undefined : wanted - 1);
  const digits = mantissa.replace('.', '').replace(/0+$/, '') || '0';
  if (exponent < -4 || exponent >= exponentLimit(wanted, digits.length, exponent)) {
    const shown = digits.length > 1 ? `${digits[0] ?? ''}.${digits.slice(1)}` : digits;
    return `${shown}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return place(digits, exponent);
}

function exponentLimit(precision: number, digits: number, exponent: number): number {
  if (precision < 0) return 6;
  return precision > digits && digits >= exponent + 1 ? digits : precision;
}

const bits = new DataView(new ArrayBuffer(8));

/** `%b`: the binary mantissa and the power of two. */
export function formatBinaryFloat(value: number): string {
  const { negative, mantissa, exponent } = decompose(value);
  return `${negative ? '-' : ''}${mantissa}p${exponent < 0 ? '' : '+'}${exponent}`;
}

/** `%x`: a hexadecimal mantissa with one digit before the point, all digits that matter, and the power of two. */
export function formatHexFloat(value: number): string {
  if (!Number.isFinite(value)) return formatFloat(value, 'g', -1);
  const { negative, mantissa, exponent } = decompose(value);
  if (mantissa === 0n) return `${negative ? '-' : ''}0x0p+00`;
  const length = mantissa.toString(2).length;
  const fraction = (mantissa << BigInt(53 - length)).toString(16).slice(1).replace(/0+$/, '');
  const power = exponent + length - 1;
  const shown = `p${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  return `${negative ? '-' : ''}0x1${fraction === '' ? '' : `.${fraction}`}${shown}`;
}

function decompose(value: number): { negative: boolean; mantissa: bigint; exponent: number } {
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const biased = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & ((1n << 52n) - 1n);
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  return { negative: raw >> 63n === 1n, mantissa, exponent: Math.max(biased, 1) - 1075 };
}
