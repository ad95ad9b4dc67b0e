/**
 * Waits for all of several operations, then throws the first error if there was one. Unlike `Promise.all`, nothing
 * still runs when it throws: whoever holds a lock or a session can let go of it.
 */
export async function settleAll(operations: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(operations);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
