import { CronExpressionParser } from 'cron-parser';
import { fail } from '../../domain/failure.ts';

/**
 * When a schedule of five fields (in UTC) came last, up to `now`; milliseconds since the epoch.
 * @throws `invalid-request` with field `purgePolicy.schedule`.
 */
export function lastOccurrence(schedule: string, now: number): number {
  const field = 'purgePolicy.schedule';
  const hint = 'five fields: minute, hour, day of the month, month, day of the week, such as "0 3 * * *"';
  if (schedule.trim().split(/\s+/).length !== 5)
    throw fail('invalid-request', 'schedule must have five fields', { field, hint });
  try {
    // `prev` is before the date it is given.
    return CronExpressionParser.parse(schedule, { tz: 'UTC', currentDate: new Date(now + 1) })
      .prev()
      .getTime();
  } catch {
    throw fail('invalid-request', 'schedule is no schedule, or one that never comes', { field, hint });
  }
}
