import type { RunEvent } from '../domain/event.ts';

/** How much output of one run is kept. What comes after is dropped, with one line that says so; all other events go on. */
export interface OutputLimit {
  readonly events: number;
  /** Bytes of the events as JSON. */
  readonly bytes: number;
}

export const usualOutputLimit: OutputLimit = { events: 200_000, bytes: 64 * 1024 * 1024 };

/** The line that stands where output was cut off. */
export function cutEvent(limit: OutputLimit): RunEvent {
  const size = `${limit.events} lines or ${Math.ceil(limit.bytes / 1024 / 1024)} MiB`;
  return {
    kind: 'output',
    stream: 'system',
    text: `the output is cut off here: it is longer than ${size}, the most that is kept of one run`,
  };
}
