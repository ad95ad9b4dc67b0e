import type { Request } from 'express';
import { fail } from '../domain/failure.ts';

/** A query parameter that may stand there once; undefined when it is absent or empty. Throws `invalid-request` when it is repeated. */
export function readQuery(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw fail('invalid-request', `${name} is given more than once`, { field: name });
}

/** A whole number from `range`; throws `invalid-request` naming `field` for anything else. */
export function parseWhole(text: string, field: string, range: readonly [number, number]): number {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= range[0] && number <= range[1]) return number;
  throw fail('invalid-request', `${field} must be a whole number from ${range[0]} to ${range[1]}`, { field });
}

/** `true` or `false` in any case; false when absent. */
export function readFlag(request: Request, name: string): boolean {
  const value = readQuery(request, name)?.toLowerCase();
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw fail('invalid-request', `${name} must be true or false`, { field: name });
}
