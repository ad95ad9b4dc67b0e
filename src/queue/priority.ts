import type { Lane } from '../domain/run-cause.ts';
import type { QueuePlace } from './ports.ts';

/** Runs that were made within the same slot go in the order they came. */
const slotMs = 5 * 60_000;

/** How many slots younger a run of the first lane may be and still go before one of this lane. */
const handicap: Readonly<Record<Lane, number>> = { people: 0, pushes: 2, timers: 4, patches: 12 };

const firstSlot = Date.UTC(2026, 0) / slotMs;

/** The last place that BullMQ has (its priorities end at 2^21 - 1); runs made after 2045 share it, and go in the order they came. */
export const lastPriority = 2 ** 21 - 1;

/**
 * The place of a run in the queue, 1 to {@link lastPriority}; the smallest is taken first, and the same ones in the order they came. It is
 * the time when the run was made and what its lane adds, so a lane goes before another one, but only before what is not much older:
 * what is in the queue stays where it is while all that comes later goes behind it in the end.
 */
export function priorityOf({ lane = 'people', since }: QueuePlace, now: number): number {
  const slot = Math.floor((since ?? now) / slotMs) - firstSlot + handicap[lane] + 1;
  return Math.min(Math.max(slot, 1), lastPriority);
}

/** How much younger than a run of `lane` one of a lane before it can be and still overtake it, at most; milliseconds. */
export function overtakenFor(lane: Lane): number {
  return (handicap[lane] + 1) * slotMs;
}

/** The name that a pool goes by in the queue: the default one has none, and letter case makes no other pool. */
export function poolKey(pool: string | undefined): string {
  const name = (pool ?? 'default').toLowerCase();
  return name === 'default' ? '' : name;
}
