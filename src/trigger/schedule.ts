import { CronExpressionParser } from 'cron-parser';
import { fail } from '../domain/failure.ts';
import { findNearest } from '../domain/nearest.ts';
import type { TimerTrigger } from '../domain/task.ts';

/** A value of one field: `*`, `5`, `MON`, the last (`L`, `5L`) or the n-th of a month (`MON#2`). Jenkins' `H` would be another time on every host. */
const atomPattern = /^(?:[*?]|(?:\d{1,2}|[a-z]{3})(?:#[1-5]|L)?|L)$/i;

function isZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return !/^[+-]/.test(timeZone);
  } catch {
    return false;
  }
}

function checkZone(timeZone: string): void {
  if (isZone(timeZone)) return;
  const nearest = findNearest(timeZone, Intl.supportedValuesOf('timeZone'));
  const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  throw fail('invalid-request', `timeZone is no time zone${meant}`, {
    field: 'timeZone',
    hint: 'use a name of the IANA list, such as Europe/Berlin; UTC when left out',
  });
}

function bad(why: string): Error {
  return fail('invalid-request', `schedule ${why}`, {
    field: 'schedule',
    hint: 'five fields: minute, hour, day of the month, month, day of the week, such as "30 2 * * MON-FRI"',
  });
}

/** The five fields of a schedule, set apart by single blanks. Throws `invalid-request` with field `schedule`. */
function readFields(schedule: string): string {
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== 5)
    throw bad(`has ${String(fields.length)} ${fields.length === 1 ? 'field' : 'fields'}, not five`);
  const wrong = fields.find((field) => !field.split(/[,/-]/).every((atom) => atomPattern.test(atom)));
  if (wrong !== undefined) throw bad(`has a field that is none of cron: ${wrong.slice(0, 40)}`);
  return fields.join(' ');
}

/**
 * The next `count` occurrences of a timer after `from` (milliseconds since the epoch), ISO 8601 in UTC.
 * @throws `invalid-request` with field `schedule` or `timeZone` for what is no schedule, or one that never comes.
 */
export function nextOccurrences(
  { schedule, timeZone = 'UTC' }: Pick<TimerTrigger, 'schedule' | 'timeZone'>,
  from: number,
  count: number,
): readonly string[] {
  checkZone(timeZone);
  const fields = readFields(schedule);
  try {
    const expression = CronExpressionParser.parse(fields, { currentDate: new Date(from), tz: timeZone });
    return Array.from({ length: count }, () => expression.next().toDate().toISOString());
  } catch (error) {
    throw bad(`is none of cron: ${error instanceof Error ? error.message.slice(0, 120) : 'it cannot be read'}`);
  }
}
