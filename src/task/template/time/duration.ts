const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const part = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;

/** `time.ParseDuration`, in nanoseconds; undefined for what is no duration. */
export function parseDuration(text: string): bigint | undefined {
  const negative = text.startsWith('-');
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0n;
  if (body === '' || body.length > 100) return undefined;
  let total = 0n;
  for (let at = 0; at < body.length;) {
    part.lastIndex = at;
    const found = part.exec(body);
    const value = found === null ? undefined : partValue(found);
    if (found === null || value === undefined) return undefined;
    total += value;
    at += found[0].length;
  }
  const signed = negative ? -total : total;
  return BigInt.asIntN(64, signed) === signed ? signed : undefined;
}

function partValue([, whole = '', fraction = '', unit = '']: RegExpExecArray): bigint | undefined {
  const factor = units[unit];
  if (factor === undefined || whole + fraction === '') return undefined;
  const scale = 10n ** BigInt(fraction.length);
  return BigInt(whole || '0') * factor + (BigInt(fraction || '0') * factor) / scale;
}

/** `Duration.String`: `1h2m3.5s`, and a smaller unit below a second. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const value = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (value < 1_000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${decimal(value, 3)}µs`;
  if (value < 1_000_000_000n) return `${sign}${decimal(value, 6)}ms`;
  const seconds = value / 1_000_000_000n;
  const shown = `${decimal((seconds % 60n) * 1_000_000_000n + (value % 1_000_000_000n), 9)}s`;
  const minutes = seconds / 60n;
  if (minutes === 0n) return sign + shown;
  return sign + (minutes < 60n ? '' : `${minutes / 60n}h`) + `${minutes % 60n}m${shown}`;
}

/** `value` with the point `digits` places from the right, without zeros at the end. */
function decimal(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, '0');
  const fraction = text.slice(-digits).replace(/0+$/, '');
  return text.slice(0, -digits) + (fraction === '' ? '' : `.${fraction}`);
}
