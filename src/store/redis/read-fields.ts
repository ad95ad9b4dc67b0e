import type { Redis } from 'ioredis';

/** How many fields are asked for in one command: nothing else is done by Redis meanwhile. */
const mostAtOnce = 500;

/**
 * Fields of a hash, in the order asked for; null for those that it does not have. However many there are, they cost one round trip, and
 * Redis serves others in between. Rejects with what the client throws.
 */
export async function readFields(
  redis: Redis,
  hash: string,
  fields: readonly string[],
): Promise<readonly (string | null)[]> {
  const slices: Promise<(string | null)[]>[] = [];
  for (let at = 0; at < fields.length; at += mostAtOnce) {
    slices.push(redis.hmget(hash, ...fields.slice(at, at + mostAtOnce)));
  }
  return (await Promise.all(slices)).flat();
}
