import type { Zone } from '../value.ts';
import { formatOffset } from './layout.ts';

/** The zone of the templates: the reference runs where the local zone is UTC. */
export const utc: Zone = { name: 'UTC', offsetAt: () => 0, abbreviationAt: () => 'UTC' };

/** A zone with one offset, in seconds east of UTC. */
export function fixedZone(offset: number, name = ''): Zone {
  const abbreviation = name === '' ? formatOffset(offset, '', false) : name;
  return { name, offsetAt: () => offset, abbreviationAt: () => abbreviation };
}

/** The zone of an IANA name (`Europe/Berlin`), `UTC`, `Local` or ``; undefined for a name that is none. */
export function loadZone(name: string): Zone | undefined {
  if (name === '' || name === 'UTC' || name === 'Local') return utc;
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(name) || name.length > 64) return undefined;
  const clock = clockFor(name, 'en-US', 'longOffset');
  if (clock === undefined) return undefined;
  const offsetAt = (seconds: number): number => readOffset(clock.format(seconds * 1000));
  let clocks: readonly Intl.DateTimeFormat[] | undefined;
  const seen = new Map<number, string>();
  const abbreviationAt = (seconds: number): string => {
    clocks ??= locales.flatMap((locale) => clockFor(name, locale, 'short') ?? []);
    const found = seen.get(seconds) ?? abbreviation(clocks, seconds, offsetAt(seconds));
    seen.set(seconds, found);
    return found;
  };
  return { name, offsetAt, abbreviationAt };
}

function clockFor(zone: string, locale: string, style: 'longOffset' | 'short'): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: style });
  } catch {
    return undefined;
  }
}

function readOffset(text: string): number {
  const [, sign, hours, minutes, seconds] = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(text) ?? [];
  const value = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  return sign === '-' ? -value : value;
}

/** Each of these locales knows the abbreviations of its own part of the world. */
const locales = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'en-NZ', 'ja-JP', 'ko-KR'];

/** Abbreviations that the time zone database has as well; Intl makes up more. */
const known = /^(?:UTC|GMT|BST|IST|WES?T|CES?T|EES?T|MSK|SAST|JST|KST|SST|[ECMPAHN][SD]T|AK[SD]T|A[CEW][SD]T|NZ[SD]T)$/;

function abbreviation(clocks: readonly Intl.DateTimeFormat[], seconds: number, offset: number): string {
  for (const clock of clocks) {
    const name = clock.formatToParts(seconds * 1000).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    if (known.test(name) && (name !== 'GMT' || offset === 0)) return name;
  }
  return numericName(offset);
}

/** What Go shows for a zone without an abbreviation: `+08`, `+0530`. */
function numericName(offset: number): string {
  const minutes = Math.abs(offset) / 60;
  const shown = String(Math.floor(minutes / 60)).padStart(2, '0');
  const rest = minutes % 60 === 0 ? '' : String(Math.floor(minutes % 60)).padStart(2, '0');
  return (offset < 0 ? '-' : '+') + shown + rest;
}
