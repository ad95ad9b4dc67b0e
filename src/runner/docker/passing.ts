import { patientTries, pauseMs } from '../../registry-client/retry.ts';

/** Words of the engine about a registry that may well answer better a moment later. */
const passing =
  /HTTP status: 5\d\d|status code 5\d\d|toomanyrequests|connection (?:refused|reset)|broken pipe|\bEOF\b|timeout|deadline exceeded|temporar|unavailable|network is unreachable/i;

/** Words about rights, which no second try mends. */
const denied = /denied|unauthorized|authentication required|no basic auth|forbidden/i;

/** True when the engine's words say that a registry does not allow something. */
export function isDenial(message: string): boolean {
  return denied.test(message);
}

/** True when the engine's words are about a registry that may well answer better a moment later. */
export function isPassing(message: string): boolean {
  return passing.test(message) && !isDenial(message);
}

/** A registry as an image names it, and the host of ours, where that is known. */
export interface AskedRegistry {
  readonly registry: string | undefined;
  readonly ours: string | undefined;
}

/**
 * Milliseconds before the engine is asked again for something of a registry, after so many tries and its words about the last; undefined:
 * it is not. Our own registry is waited for while it is away, no other.
 */
export function waitForOurs({ registry, ours }: AskedRegistry, fault: string, tries: number): number | undefined {
  const isOurs = registry !== undefined && registry === ours?.toLowerCase();
  return isOurs && tries < patientTries && isPassing(fault) ? pauseMs(tries, Math.random()) : undefined;
}
