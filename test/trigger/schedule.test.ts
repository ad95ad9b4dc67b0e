import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/domain/failure.ts';
import { nextOccurrences } from '../../src/trigger/schedule.ts';

const from = Date.parse('2026-11-21T09:00:30Z');

describe('a schedule', () => {
  it.each([
    ['* * * * *', undefined, '2026-11-21T09:01:00.000Z'],
    ['  30   2 * * MON-FRI ', undefined, '2026-11-23T02:30:00.000Z'],
    ['0 0 1 JAN *', undefined, '2027-01-01T00:00:00.000Z'],
    ['*/15 9-17 * * *', 'America/New_York', '2026-11-21T14:00:00.000Z'],
    ['0 0 L * *', undefined, '2026-11-30T00:00:00.000Z'],
  ])('%s in %s comes next at %s', (schedule, timeZone, expected) => {
    expect(nextOccurrences({ schedule, ...(timeZone && { timeZone }) }, from, 1)).toEqual([expected]);
  });

  it('goes on over the change of the clocks', () => {
    const timer = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' };
    const spring = nextOccurrences(timer, Date.parse('2027-03-27T12:00:00Z'), 2);
    expect(spring.map((one) => Date.parse(one) > 0)).toEqual([true, true]);
    expect(new Set(spring).size).toBe(2);
  });

  it.each([
    ['@daily', 'schedule'],
    ['0 0 * * * *', 'schedule'],
    ['', 'schedule'],
    ['H * * * *', 'schedule'],
    ['0 0 31 4 *', 'schedule'],
    ['0 0 * * 9', 'schedule'],
    ['*/0 * * * *', 'schedule'],
  ])('refuses %s', (schedule, field) => {
    expect(() => nextOccurrences({ schedule }, from, 1)).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ field }) }),
    );
  });

  it.each(['Nowhere/City', '+02:00', 'berlin!'])('refuses the time zone %s', (timeZone) => {
    expect(() => nextOccurrences({ schedule: '* * * * *', timeZone }, from, 1)).toThrow(/time zone/);
  });

  it('refuses whatever else with a failure that names the field', () => {
    const atom = fc.constantFrom('*', '5', '1-3', '*/2', 'MON', '99', '-', ',', 'x', '1,2', 'L', '5L', 'MON#2', '3-1');
    fc.assert(
      fc.property(fc.array(atom, { minLength: 5, maxLength: 5 }), (fields) => {
        try {
          expect(nextOccurrences({ schedule: fields.join(' ') }, from, 1)).toHaveLength(1);
        } catch (error) {
          expect(error).toBeInstanceOf(FailureError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
