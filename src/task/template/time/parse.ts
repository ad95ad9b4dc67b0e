import { GoTime, type Zone } from '../value.ts';
import { fromCivil } from './civil.ts';
import { splitLayout, type LayoutPiece } from './layout.ts';
import { monthNames, weekdayNames } from './names.ts';
import { fixedZone, utc } from './zone.ts';

interface Parsed {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  /** Whether the hour is one of twelve. */
  isHalfDay: boolean;
  yearDay: number | undefined;
  afternoon: boolean | undefined;
  offset: number | undefined;
  zoneName: string | undefined;
}

/**
 * `time.ParseInLocation(layout, text, UTC)`; undefined when the text does not fit the layout or is no date.
 * A zone that is given by name alone counts as UTC with that name, as in Go.
 */
export function parseTime(layout: string, text: string): GoTime | undefined {
  const parsed: Parsed = {
    year: 0,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0,
    isHalfDay: false,
    yearDay: undefined,
    afternoon: undefined,
    offset: undefined,
    zoneName: undefined,
  };
  let rest: string | undefined = text;
  const pieces = splitLayout(layout);
  for (const [index, { literal, piece }] of pieces.entries()) {
    rest = skipLiteral(rest, literal);
    if (rest === undefined) return undefined;
    rest = isSecond(piece) ? readSecond(rest, piece, parsed) : readPiece(rest, piece, parsed);
    if (rest !== undefined && isSecond(piece)) rest = readExtraFraction(rest, pieces[index + 1], parsed);
    if (rest === undefined) return undefined;
  }
  return rest === '' ? toTime(parsed) : undefined;
}

function toTime(parsed: Parsed): GoTime | undefined {
  const { yearDay, offset, zoneName } = parsed;
  if (parsed.hour > (parsed.isHalfDay ? 12 : 23) || parsed.minute > 59 || parsed.second > 59) return undefined;
  const hour = hourOfDay(parsed);
  const day = yearDay === undefined ? parsed : { ...parsed, month: 1, day: 1 };
  const seconds = fromCivil({ ...day, hour });
  if (seconds === undefined) return undefined;
  return new GoTime(
    seconds + ((yearDay ?? 1) - 1) * 86_400 - (offset ?? 0),
    parsed.nanosecond,
    zoneOf(offset, zoneName),
  );
}

function hourOfDay({ hour, afternoon }: Parsed): number {
  if (afternoon === true && hour < 12) return hour + 12;
  return afternoon === false && hour === 12 ? 0 : hour;
}

function zoneOf(offset: number | undefined, name: string | undefined): Zone {
  if (offset === undefined) return name === undefined || name === 'UTC' ? utc : fixedZone(0, name);
  return offset === 0 && name === undefined ? utc : fixedZone(offset, name);
}

/** Spaces in a layout match any number of spaces, none included. */
function skipLiteral(text: string, literal: string): string | undefined {
  let rest = text;
  for (const char of literal) {
    if (char === ' ') rest = rest.replace(/^ +/, '');
    else if (rest.startsWith(char)) rest = rest.slice(char.length);
    else return undefined;
  }
  return rest;
}

type Reader = { readonly pattern: RegExp; readonly read: (found: string, parsed: Parsed) => void };

const number = (pattern: RegExp, key: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'yearDay'): Reader => ({
  pattern,
  read: (found, parsed) => {
    parsed[key] = Number(found);
  },
});
const twoDigits = /^\d\d/;
const oneOrTwo = /^\d\d?/;
const names = (list: readonly string[], length?: number): RegExp =>
  new RegExp(`^(?:${list.map((name) => name.slice(0, length)).join('|')})`, 'i');
const month = (found: string, parsed: Parsed): void => {
  parsed.month = 1 + monthNames.findIndex((name) => name.slice(0, 3).toLowerCase() === found.slice(0, 3).toLowerCase());
};
const halfDayHour = (found: string, parsed: Parsed): void => {
  parsed.hour = Number(found);
  parsed.isHalfDay = true;
};
const half = (found: string, parsed: Parsed): void => {
  parsed.afternoon = found.toLowerCase() === 'pm';
};
const offset = (found: string, parsed: Parsed): void => {
  const digits = found.replaceAll(':', '');
  const [hours, minutes, seconds] = [digits.slice(1, 3), digits.slice(3, 5), digits.slice(5, 7)].map(Number);
  const value = (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
  parsed.offset = found === 'Z' ? 0 : found.startsWith('-') ? -value : value;
};

const readers: Readonly<Record<string, Reader>> = {
  '2006': number(/^\d{4}/, 'year'),
  '06': {
    pattern: twoDigits,
    read: (found, parsed) => {
      parsed.year = Number(found) + (Number(found) >= 69 ? 1900 : 2000);
    },
  },
  January: { pattern: names(monthNames), read: month },
  Jan: { pattern: names(monthNames, 3), read: month },
  '01': number(twoDigits, 'month'),
  '1': number(oneOrTwo, 'month'),
  Monday: { pattern: names(weekdayNames), read: () => undefined },
  Mon: { pattern: names(weekdayNames, 3), read: () => undefined },
  '02': number(twoDigits, 'day'),
  '2': number(oneOrTwo, 'day'),
  _2: number(/^ ?\d\d?/, 'day'),
  '002': number(/^\d{3}/, 'yearDay'),
  __2: number(/^ {0,2}\d{1,3}/, 'yearDay'),
  '15': number(oneOrTwo, 'hour'),
  '03': { pattern: twoDigits, read: halfDayHour },
  '3': { pattern: oneOrTwo, read: halfDayHour },
  '04': number(twoDigits, 'minute'),
  '4': number(oneOrTwo, 'minute'),
  PM: { pattern: /^(?:AM|PM)/, read: half },
  pm: { pattern: /^(?:am|pm)/, read: half },
  MST: {
    pattern: /^(?:[A-Z]{3,5}|[+-]\d\d)/,
    read: (found, parsed) => {
      parsed.zoneName = found;
    },
  },
  '-07': { pattern: /^[+-]\d\d/, read: offset },
  '-0700': { pattern: /^[+-]\d{4}/, read: offset },
  '-07:00': { pattern: /^[+-]\d\d:\d\d/, read: offset },
  '-070000': { pattern: /^[+-]\d{6}/, read: offset },
  '-07:00:00': { pattern: /^[+-]\d\d:\d\d:\d\d/, read: offset },
};

/** Takes what stands for `piece` off the text; undefined when it does not. */
function readPiece(text: string, piece: string, parsed: Parsed): string | undefined {
  if (piece === '') return text;
  if (piece.startsWith('Z') && text.startsWith('Z')) {
    offset('Z', parsed);
    return text.slice(1);
  }
  if (/^[.,]/.test(piece)) return readFraction(text, piece, parsed);
  return readField(text, piece, parsed);
}

function readField(text: string, piece: string, parsed: Parsed): string | undefined {
  const reader = readers[piece.replace(/^Z/, '-')];
  const found = reader?.pattern.exec(text)?.[0];
  if (reader === undefined || found === undefined) return undefined;
  reader.read(found, parsed);
  return text.slice(found.length);
}

function isSecond(piece: string): boolean {
  return piece === '05' || piece === '5';
}

function readSecond(text: string, piece: string, parsed: Parsed): string | undefined {
  const found = (piece === '05' ? twoDigits : oneOrTwo).exec(text)?.[0];
  if (found === undefined) return undefined;
  parsed.second = Number(found);
  return text.slice(found.length);
}

function isFraction({ literal, piece }: LayoutPiece): boolean {
  return literal === '' && /^[.,]/.test(piece);
}

/** Seconds may be followed by a fraction where the layout has none. */
function readExtraFraction(text: string, next: LayoutPiece | undefined, parsed: Parsed): string {
  return next !== undefined && isFraction(next) ? text : readAnyFraction(text, parsed);
}

function readAnyFraction(text: string, parsed: Parsed): string {
  const found = /^[.,](\d+)/.exec(text);
  if (found === null) return text;
  parsed.nanosecond = toNanoseconds(found[1] ?? '');
  return text.slice(found[0].length);
}

/** `.999` takes any digits or none, `.000` as many as it has zeros. */
function readFraction(text: string, piece: string, parsed: Parsed): string | undefined {
  if (piece.includes('9')) return readAnyFraction(text, parsed);
  const digits = text.slice(1, piece.length);
  if (!/^[.,]/.test(text) || !/^\d+$/.test(digits) || digits.length !== piece.length - 1) return undefined;
  parsed.nanosecond = toNanoseconds(digits);
  return text.slice(piece.length);
}

function toNanoseconds(digits: string): number {
  return Number(digits.slice(0, 9).padEnd(9, '0'));
}
