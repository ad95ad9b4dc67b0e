import { formatTime } from '../time/layout.ts';
import { formatDuration, parseDuration } from '../time/duration.ts';
import { parseTime } from '../time/parse.ts';
import { utc } from '../time/zone.ts';
import { GoInt, GoTime, type Value } from '../value.ts';
import { parseIntText } from './convert.ts';
import { refuse } from '../faults.ts';
import { fn, type Environment, type FunctionTable } from './define.ts';

/** Go's zero time, the first instant of the year 1, is what an unreadable date becomes. */
const zeroTime = new GoTime(-62_135_596_800, 0, utc);

function now(env: Environment): GoTime {
  const seconds = Math.floor(env.now / 1000);
  return new GoTime(seconds, Math.round((env.now - seconds * 1000) * 1e6), utc);
}

/** A time, or seconds since the epoch; anything else stands for now. */
function instant(value: Value, env: Environment): GoTime {
  if (value instanceof GoTime) return value;
  if (value instanceof GoInt && ['int', 'int32', 'int64'].includes(value.type)) {
    return new GoTime(Number(value.value), 0, utc);
  }
  return now(env);
}

interface DateRequest {
  readonly layout: string;
  readonly date: Value;
  readonly zone: string;
}

/** A zone that does not exist counts as UTC. */
function format({ layout, date, zone }: DateRequest, env: Environment): string {
  const { seconds, nanoseconds } = instant(date, env);
  return formatTime(new GoTime(seconds, nanoseconds, env.zone(zone) ?? utc), layout);
}

function shift(time: GoTime, nanoseconds: bigint): GoTime {
  const total = BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds) + nanoseconds;
  const rest = ((total % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return new GoTime(Number((total - rest) / 1_000_000_000n), Number(rest), time.zone);
}

/** Nanoseconds from `time` to now. */
function since(time: GoTime, env: Environment): bigint {
  const current = now(env);
  return BigInt(current.seconds - time.seconds) * 1_000_000_000n + BigInt(current.nanoseconds - time.nanoseconds);
}

function ago(value: Value, env: Environment): string {
  const elapsed = since(instant(value, env), env);
  const half = elapsed < 0n ? -500_000_000n : 500_000_000n;
  return formatDuration(((elapsed + half) / 1_000_000_000n) * 1_000_000_000n);
}

/** Seconds, as text or `int64`, as a duration. */
function duration(value: Value): string {
  const seconds = typeof value === 'string' ? (parseIntText(value, 10) ?? 0n) : isInt64(value) ? value.value : 0n;
  return formatDuration(BigInt.asIntN(64, seconds * 1_000_000_000n));
}

function isInt64(value: Value): value is GoInt {
  return value instanceof GoInt && value.type === 'int64';
}

const second = 1_000_000_000n;
const roundUnits: readonly (readonly [string, bigint])[] = [
  ['y', 365n * 24n * 3600n * second],
  ['mo', 30n * 24n * 3600n * second],
  ['d', 24n * 3600n * second],
  ['h', 3600n * second],
  ['m', 60n * second],
  ['s', second],
];

/** The largest unit alone: `2h` for `2h10m5s`. */
function durationRound(value: Value, env: Environment): string {
  let length = 0n;
  if (typeof value === 'string') length = parseDuration(value) ?? 0n;
  else if (isInt64(value)) length = value.value;
  else if (value instanceof GoTime) length = since(value, env);
  const size = length < 0n ? -length : length;
  const unit = roundUnits.find(([, nanoseconds]) => size > nanoseconds);
  return unit === undefined ? '0s' : `${size / unit[1]}${unit[0]}`;
}

const inZone = fn(['string', 'any', 'string'], ([layout, date, zone], env) => format({ layout, date, zone }, env));
const modify = fn(['string', 'time'], ([text, time]) => shift(time, parseDuration(text) ?? 0n));
const mustModify = fn(['string', 'time'], ([text, time]) => {
  const length = parseDuration(text);
  if (length === undefined) throw refuse(`time: invalid duration ${JSON.stringify(text)}`);
  return shift(time, length);
});

/** Sprig's functions on dates. The local zone is UTC, and `now` is one instant for the whole rendering. */
export const dateFunctions: FunctionTable = {
  now: fn([], (_none, env) => now(env)),
  date: fn(['string', 'any'], ([layout, date], env) => format({ layout, date, zone: 'Local' }, env)),
  dateInZone: inZone,
  date_in_zone: inZone,
  dateModify: modify,
  date_modify: modify,
  mustDateModify: mustModify,
  must_date_modify: mustModify,
  htmlDate: fn(['any'], ([date], env) => format({ layout: '2006-01-02', date, zone: 'Local' }, env)),
  htmlDateInZone: fn(['any', 'string'], ([date, zone], env) => format({ layout: '2006-01-02', date, zone }, env)),
  ago: fn(['any'], ([date], env) => ago(date, env)),
  duration: fn(['any'], ([value]) => duration(value)),
  durationRound: fn(['any'], ([value], env) => durationRound(value, env)),
  toDate: fn(['string', 'string'], ([layout, text]) => parseTime(layout, text) ?? zeroTime),
  mustToDate: fn(['string', 'string'], ([layout, text]) => {
    const time = parseTime(layout, text);
    if (time === undefined) throw refuse(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)} failed`);
    return time;
  }),
  unixEpoch: fn(['time'], ([time]) => String(time.seconds)),
};
