/** How far a signed time may be from ours, in seconds: clocks differ and queues delay, a replay comes later. */
const toleranceSeconds = 300;

/** True when `timestamp` (seconds since the epoch, as text) is close enough to `nowMs`. */
export function isFresh(timestamp: string | undefined, nowMs: number): boolean {
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  return Math.abs(Number(timestamp) - nowMs / 1000) <= toleranceSeconds;
}
