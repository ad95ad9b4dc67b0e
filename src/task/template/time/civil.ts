import { refuse } from '../faults.ts';
import type { GoTime } from '../value.ts';

/** A time as a calendar and a clock show it in its zone. */
export interface Civil {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1 to 366. */
  readonly yearDay: number;
  /** Seconds east of UTC. */
  readonly offset: number;
}

/** Days beyond this have no date in JavaScript's calendar. */
const maxSeconds = 8.64e12;

/** @throws TemplateFault for an instant beyond the year ±275,760. */
export function toCivil(time: GoTime): Civil {
  if (Math.abs(time.seconds) > maxSeconds - 86_400) throw refuse('the time is out of range');
  const offset = time.zone.offsetAt(time.seconds);
  const date = new Date((time.seconds + offset) * 1000);
  const newYear = new Date(0);
  newYear.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    nanosecond: time.nanoseconds,
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - newYear.getTime()) / 86_400_000) + 1,
    offset,
  };
}

export interface Fields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Seconds since the epoch of a date and time in UTC; undefined when there is no such day. */
export function fromCivil({ year, month, day, hour, minute, second }: Fields): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}
