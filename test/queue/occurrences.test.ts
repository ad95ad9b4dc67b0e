import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { definitionOf, dueOccurrence, missedOccurrence, newestOccurrence } from '../../src/queue/occurrences.ts';

const at = (text: string): number => Date.parse(text);
const daily = { schedule: '0 12 * * *' };
const minutely = { schedule: '* * * * *' };
const berlin = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' };
const noon = at('2026-11-21T12:00:00Z');
const minute = 60_000;
const day = 24 * 60 * minute;

describe('the newest occurrence', () => {
  it('is in the time asked for, its end with it and its start not', () => {
    expect(newestOccurrence(daily, noon - day, noon)).toBe(noon);
    expect(newestOccurrence(daily, noon - 1, noon)).toBe(noon);
    expect(newestOccurrence(daily, noon, noon + 1000)).toBe(undefined);
    expect(newestOccurrence(daily, noon - day, noon - 1)).toBe(undefined);
    expect(newestOccurrence(daily, noon, noon)).toBe(undefined);
    expect(newestOccurrence(daily, noon + 5, noon)).toBe(undefined);
  });

  it('is found after a minute as after years', () => {
    expect(newestOccurrence(minutely, noon - 1, noon + 59_999)).toBe(noon);
    expect(newestOccurrence(minutely, 0, noon + 1)).toBe(noon);
    expect(newestOccurrence({ schedule: '0 0 29 2 *' }, 0, noon)).toBe(at('2024-02-29T00:00:00Z'));
  });

  it('comes once in the hour that a change of clocks repeats', () => {
    const first = at('2026-10-25T00:30:00Z');
    expect(newestOccurrence(berlin, first - day, at('2026-10-25T03:00:00Z'))).toBe(first);
    expect(newestOccurrence(berlin, first, at('2026-10-25T12:00:00Z'))).toBe(undefined);
    expect(newestOccurrence(berlin, first, at('2026-10-26T01:30:00Z'))).toBe(at('2026-10-26T01:30:00Z'));
  });

  it('comes on the day too on which its hour is left out', () => {
    expect(newestOccurrence(berlin, at('2026-03-28T12:00:00Z'), at('2026-03-29T12:00:00Z'))).toBe(
      at('2026-03-29T01:30:00Z'),
    );
  });

  it('throws for what is no schedule or never comes', () => {
    for (const schedule of ['soon', '61 * * * *', '0 0 30 2 *'])
      expect(() => newestOccurrence({ schedule }, 0, noon)).toThrow();
    expect(() => newestOccurrence({ ...daily, timeZone: 'Nowhere/Town' }, 0, noon)).toThrow();
  });

  it('is the last one of those that a walk from one to the next comes by', () => {
    const schedules = fc.constantFrom(
      '* * * * *',
      '*/7 * * * *',
      '5 */3 * * *',
      '30 2 * * *',
      '0 0 1 * *',
      '15 10 * * MON-FRI',
    );
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe');
    const start = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') });
    fc.assert(
      fc.property(schedules, zones, start, fc.integer({ min: 1, max: 600 }), (schedule, timeZone, after, minutes) => {
        const timer = { schedule, timeZone };
        const until = after + minutes * minute;
        const newest = newestOccurrence(timer, after, until);
        if (newest === undefined) return;
        expect(newest > after && newest <= until).toBe(true);
        expect(newestOccurrence(timer, newest, until)).toBe(undefined);
        expect(newestOccurrence(timer, newest - 1, newest)).toBe(newest);
      }),
    );
  });
});

describe('what a timer missed', () => {
  it('is made up for by its newest occurrence, unless the timer does not want it', () => {
    const now = noon + 5 * 60 * minute;
    expect(missedOccurrence(daily, noon - 3 * day, now)).toBe(noon);
    expect(missedOccurrence({ ...daily, catchUp: true }, noon - 3 * day, now)).toBe(noon);
    expect(missedOccurrence({ ...daily, catchUp: false }, noon - 3 * day, now)).toBe(undefined);
    expect(missedOccurrence(daily, noon, now)).toBe(undefined);
  });

  it('is not what is only late', () => {
    expect(missedOccurrence({ ...daily, catchUp: false }, noon - day, noon + minute)).toBe(noon);
  });
});

describe('an alarm', () => {
  it('in time means its own occurrence, also after a later one', () => {
    expect(dueOccurrence(minutely, { at: noon, seen: noon - minute, now: noon + 5 })).toBe(noon);
    expect(dueOccurrence(minutely, { at: noon, seen: noon - day, now: noon + 30_000 })).toBe(noon);
    expect(dueOccurrence(minutely, { at: noon, seen: noon + minute, now: noon + minute })).toBe(noon);
    expect(dueOccurrence({ ...minutely, catchUp: false }, { at: noon, seen: 0, now: noon })).toBe(noon);
  });

  it('before its time, by a clock that is ahead, means its own occurrence', () => {
    expect(dueOccurrence(daily, { at: noon, seen: noon - day, now: noon - 2000 })).toBe(noon);
  });

  it('that comes late makes up for all that was missed, once', () => {
    const now = noon + 10 * minute + 5;
    expect(dueOccurrence(minutely, { at: noon, seen: noon - minute, now })).toBe(noon + 10 * minute);
    expect(dueOccurrence(minutely, { at: noon, seen: noon + 10 * minute, now })).toBe(undefined);
    expect(dueOccurrence({ ...daily, catchUp: false }, { at: noon, seen: 0, now })).toBe(undefined);
  });

  it('for a time that is none of the timer’s is ignored', () => {
    expect(dueOccurrence(daily, { at: noon + 5, seen: noon, now: noon + 5 })).toBe(undefined);
    const second = at('2026-10-25T01:30:00Z');
    expect(dueOccurrence(berlin, { at: second, seen: second - 60 * minute, now: second })).toBe(undefined);
  });
});

describe('the definition of a timer', () => {
  it('is the same without a time zone and with UTC', () => {
    expect(definitionOf(daily)).toBe(definitionOf({ ...daily, timeZone: 'UTC' }));
    expect(definitionOf(daily)).not.toBe(definitionOf({ ...daily, timeZone: 'Asia/Tokyo' }));
    expect(definitionOf(daily)).not.toBe(definitionOf(minutely));
  });
});
