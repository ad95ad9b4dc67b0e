import { GoInt, GoTime, int, int64, type Value } from '../value.ts';
import { toCivil } from './civil.ts';
import { formatTimeString } from './layout.ts';
import { utc } from './zone.ts';

const fields: Readonly<Record<string, (time: GoTime) => Value>> = {
  Unix: (time) => int64(time.seconds),
  UnixMilli: (time) => int64(BigInt(time.seconds) * 1000n + BigInt(Math.floor(time.nanoseconds / 1e6))),
  UnixNano: (time) => int64(BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds)),
  Year: (time) => int(toCivil(time).year),
  Month: (time) => new GoInt(BigInt(toCivil(time).month), 'time.Month'),
  Day: (time) => int(toCivil(time).day),
  Hour: (time) => int(toCivil(time).hour),
  Minute: (time) => int(toCivil(time).minute),
  Second: (time) => int(toCivil(time).second),
  Nanosecond: (time) => int(time.nanoseconds),
  Weekday: (time) => new GoInt(BigInt(toCivil(time).weekday), 'time.Weekday'),
  YearDay: (time) => int(toCivil(time).yearDay),
  UTC: (time) => new GoTime(time.seconds, time.nanoseconds, utc),
  IsZero: (time) => time.seconds === -62_135_596_800 && time.nanoseconds === 0,
  String: (time) => formatTimeString(time),
};

/** A method of `time.Time` that takes no argument, as `{{now.Year}}` calls it; undefined when there is none. */
export function timeField(time: GoTime, name: string): Value {
  return Object.hasOwn(fields, name) ? fields[name]?.(time) : undefined;
}
