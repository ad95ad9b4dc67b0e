import type { GoTime } from '../value.ts';
import { toCivil, type Civil } from './civil.ts';
import { monthNames, weekdayNames } from './names.ts';

/** The pieces of a layout that stand for a part of the time; all else is literal. */
const pieces =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|2006|__2|_2(?!006)|[12345]|PM|pm|[-Z]07:00:00|[-Z]070000|[-Z]07:00|[-Z]0700|[-Z]07|[.,](?:0+|9+)(?![0-9])/g;

/** A layout cut into pieces; `literal` comes before the piece, and the last has an empty piece. */
export interface LayoutPiece {
  readonly literal: string;
  readonly piece: string;
}

/** Cuts a layout in terms of the reference time, Mon Jan 2 15:04:05 MST 2006. */
export function splitLayout(layout: string): LayoutPiece[] {
  const result: LayoutPiece[] = [];
  let at = 0;
  for (const match of layout.matchAll(pieces)) {
    result.push({ literal: layout.slice(at, match.index), piece: match[0] });
    at = match.index + match[0].length;
  }
  return [...result, { literal: layout.slice(at), piece: '' }];
}

/** `time.Format`. */
export function formatTime(time: GoTime, layout: string): string {
  const civil = toCivil(time);
  return splitLayout(layout)
    .map(({ literal, piece }) => literal + formatPiece(piece, civil, time))
    .join('');
}

/** `time.String`. */
export function formatTimeString(time: GoTime): string {
  return formatTime(time, '2006-01-02 15:04:05.999999999 -0700 MST');
}

/** The time as JSON has it: RFC 3339 with the nanoseconds that there are. */
export function formatRfc3339(time: GoTime): string {
  return formatTime(time, '2006-01-02T15:04:05.999999999Z07:00');
}

type PieceFormat = (civil: Civil, time: GoTime) => string;

const two = (value: number): string => String(value).padStart(2, '0');
const hour12 = ({ hour }: Civil): number => hour % 12 || 12;
const zoned =
  (separators: string, withSeconds: boolean): PieceFormat =>
  ({ offset }) =>
    formatOffset(offset, separators, withSeconds);

const formats: Readonly<Record<string, PieceFormat>> = {
  '': () => '',
  January: ({ month }) => monthNames[month - 1] ?? '',
  Jan: ({ month }) => (monthNames[month - 1] ?? '').slice(0, 3),
  Monday: ({ weekday }) => weekdayNames[weekday] ?? '',
  Mon: ({ weekday }) => (weekdayNames[weekday] ?? '').slice(0, 3),
  MST: (_civil, time) => time.zone.abbreviationAt(time.seconds),
  '01': ({ month }) => two(month),
  '1': ({ month }) => String(month),
  '02': ({ day }) => two(day),
  '2': ({ day }) => String(day),
  _2: ({ day }) => String(day).padStart(2),
  '03': (civil) => two(hour12(civil)),
  '3': (civil) => String(hour12(civil)),
  '15': ({ hour }) => two(hour),
  '04': ({ minute }) => two(minute),
  '4': ({ minute }) => String(minute),
  '05': ({ second }) => two(second),
  '5': ({ second }) => String(second),
  '06': ({ year }) => two(Math.abs(year) % 100),
  '2006': ({ year }) => formatYear(year),
  '002': ({ yearDay }) => String(yearDay).padStart(3, '0'),
  __2: ({ yearDay }) => String(yearDay).padStart(3),
  PM: ({ hour }) => (hour >= 12 ? 'PM' : 'AM'),
  pm: ({ hour }) => (hour >= 12 ? 'pm' : 'am'),
  '-07': ({ offset }) => formatOffset(offset, '', false).slice(0, 3),
  '-0700': zoned('', false),
  '-07:00': zoned(':', false),
  '-070000': zoned('', true),
  '-07:00:00': zoned(':', true),
};

function formatPiece(piece: string, civil: Civil, time: GoTime): string {
  if (piece.startsWith('.') || piece.startsWith(',')) return formatFraction(piece, civil.nanosecond);
  if (piece.startsWith('Z')) return civil.offset === 0 ? 'Z' : formatPiece(`-${piece.slice(1)}`, civil, time);
  return formats[piece]?.(civil, time) ?? '';
}

function formatYear(year: number): string {
  const digits = String(Math.abs(year)).padStart(4, '0');
  return year < 0 ? `-${digits}` : digits;
}

/** `+hhmm`, with a separator between the fields, and with the seconds when asked for. */
export function formatOffset(offset: number, separator: string, withSeconds: boolean): string {
  const seconds = Math.abs(offset);
  const sign = offset < 0 ? '-' : '+';
  const fields = [two(Math.floor(seconds / 3600)), two(Math.floor(seconds / 60) % 60)];
  return sign + (withSeconds ? [...fields, two(seconds % 60)] : fields).join(separator);
}

/** `.000` prints all the digits, `.999` drops zeros at the end. */
function formatFraction(piece: string, nanosecond: number): string {
  const digits = String(nanosecond)
    .padStart(9, '0')
    .slice(0, piece.length - 1);
  const shown = piece.includes('9') ? digits.replace(/0+$/, '') : digits.padEnd(piece.length - 1, '0');
  return shown === '' ? '' : piece.slice(0, 1) + shown;
}
