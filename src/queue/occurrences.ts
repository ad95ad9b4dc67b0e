import { CronExpressionParser } from 'cron-parser';
import type { TimerTrigger } from '../domain/task.ts';

/** When a timer's occurrences are. */
export type Schedule = Pick<TimerTrigger, 'schedule' | 'timeZone'>;

/** An occurrence that is this late was missed: it is made up for, or not, as its timer says. Milliseconds. */
export const missedAfterMs = 60_000;

/** How many occurrences are looked at backwards: beyond the hour that a change of clocks repeats. */
const lookBack = 3;

/** What tells whether two timers have the same occurrences. */
export function definitionOf({ schedule, timeZone = 'UTC' }: Schedule): string {
  return `${timeZone} ${schedule}`;
}

function startOfWalk(timer: Schedule, after: number, until: number): number {
  // What lies before a time is looked for by whole seconds, without the one that the time itself is in.
  const currentDate = new Date(Math.floor(until / 1000) * 1000 + 1000);
  const expression = CronExpressionParser.parse(timer.schedule, { currentDate, tz: timer.timeZone ?? 'UTC' });
  let start = until;
  for (let count = 0; count < lookBack && start > after; count++) start = expression.prev().getTime();
  return Math.max(after, start - 1);
}

/**
 * The newest occurrence that is later than `after` and not later than `until` (milliseconds since the epoch); undefined: there is none.
 * It is found by walking forward, as the occurrences come: looking back, the library counts the hour twice that a change of clocks repeats.
 * @throws the library's error for what is no schedule.
 */
export function newestOccurrence(timer: Schedule, after: number, until: number): number | undefined {
  if (until <= after) return undefined;
  const currentDate = new Date(startOfWalk(timer, after, until));
  const expression = CronExpressionParser.parse(timer.schedule, { currentDate, tz: timer.timeZone ?? 'UTC' });
  let newest: number | undefined;
  for (let next = expression.next().getTime(); next <= until; next = expression.next().getTime()) newest = next;
  return newest;
}

/** The occurrence to make up for at `now`, when all up to `seen` were seen; undefined: none was missed, or the timer does not want it. */
export function missedOccurrence(
  timer: Schedule & Pick<TimerTrigger, 'catchUp'>,
  seen: number,
  now: number,
): number | undefined {
  const missed = newestOccurrence(timer, seen, now);
  if (missed === undefined || (timer.catchUp === false && now - missed > missedAfterMs)) return undefined;
  return missed;
}

/**
 * What is due when the alarm for `at` rings at `now`. In time it is `at` itself, also when a later one was seen; when it rings late, `at` was
 * missed, and one run makes up for all that were. Undefined: nothing is, as after an alarm that the timer has no occurrence for.
 */
export function dueOccurrence(
  timer: Schedule & Pick<TimerTrigger, 'catchUp'>,
  { at, seen, now }: { readonly at: number; readonly seen: number; readonly now: number },
): number | undefined {
  if (now - at > missedAfterMs) return missedOccurrence(timer, seen, now);
  return newestOccurrence(timer, Math.min(seen, at - 1), at) === at ? at : undefined;
}
