import { matchesPattern } from '../access/pattern.ts';
import type { RegistryState } from '../state.ts';
import { mostInGroup } from '../touches.ts';
import { bytesOfRule, maxBytesOf, newTo, sizeOf, type Addition } from './quota.ts';
import { readPolicy } from './records.ts';

type Given = Pick<RegistryState, 'index' | 'care'>;

/** The key of touches for how much the registry holds. */
const quotaTouch = 'quota';

/**
 * What a push touches of the limits: where as many such pushes as one entry of the journal takes would be too much together, each is
 * decided after the one before it is counted.
 */
export function quotaTouches(
  given: Given,
  repository: string,
  added: readonly Addition[],
): { shared: string[]; own: string[] } {
  const some = newTo(given.index, repository, added);
  const room = some.length === 0 ? Infinity : roomFor(given, repository);
  if (room === Infinity) return { shared: [], own: [] };
  const isNear = sizeOf(some) * mostInGroup > room;
  return isNear ? { shared: [], own: [quotaTouch] } : { shared: [quotaTouch], own: [] };
}

/** Bytes that may still come; Infinity: without limit. */
function roomFor({ index, care }: Given, repository: string): number {
  const rules = readPolicy(index, 'quotaPolicy').rules.filter((rule) => matchesPattern(rule.repositories, repository));
  const max = maxBytesOf(care);
  const rooms = rules.map((rule) => rule.maxBytes - bytesOfRule(index, rule));
  return Math.min(max === undefined ? Infinity : max - index.bytes.total, ...rooms);
}
