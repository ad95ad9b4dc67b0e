import { fail } from '../../domain/failure.ts';

const unitBytes: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Bytes of `512m`, `1.5g`, `64KiB`, `1024` (powers of 1024, as `docker run` reads them). @throws `invalid-request` */
export function parseBytes(text: string, flag: string): number {
  const found = /^(\d+(?:\.\d+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  const unit = unitBytes[(found?.[2] ?? '').toLowerCase()];
  if (!found || unit === undefined) throw fail('invalid-request', `${flag} must be a size such as 512m, not "${text}"`);
  return Math.floor(Number(found[1]) * unit);
}

/** Billionths of a processor of `0.5` or `2`. @throws `invalid-request` */
export function parseCpus(text: string): number {
  const value = /^\d*\.?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value <= 0) {
    throw fail('invalid-request', `cpus must be a number of processors such as 0.5, not "${text}"`);
  }
  return Math.round(value * 1e9);
}

/** A whole number, `-1` among them. @throws `invalid-request` */
export function parseWhole(text: string, flag: string): number {
  if (/^-?\d{1,15}$/.test(text.trim())) return Number(text);
  throw fail('invalid-request', `${flag} must be a whole number, not "${text}"`);
}

const unitNanos: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 };

/** Nanoseconds of `1m30s`, `500ms` (Go's durations). @throws `invalid-request` */
export function parseNanos(text: string, flag: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw fail('invalid-request', `${flag} must be a time such as 30s, not "${text}"`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitNanos[unit ?? ''] ?? 0), 0);
}
