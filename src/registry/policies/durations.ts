import { fail } from '../../domain/failure.ts';

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;
const form = /^(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,8})s)?$/;

/** `2d3h6m` as milliseconds. @throws `invalid-request` that names `field`. */
export function parseAge(text: string, field: string): number {
  const found = text === '' ? undefined : form.exec(text);
  if (!found) {
    throw fail('invalid-request', `${field} "${text.slice(0, 40)}" is no duration`, {
      field,
      hint: 'days, hours, minutes and seconds in this order: 30d, 2d3h6m, 90m',
    });
  }
  const units = [unitMs.d, unitMs.h, unitMs.m, unitMs.s];
  return units.reduce((sum, ms, at) => sum + ms * Number(found[at + 1] ?? 0), 0);
}
