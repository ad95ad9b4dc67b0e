import type { BlobStore } from '../blob/ports.ts';
import type { Clock } from '../domain/clock.ts';

/**
 * Removes uploaded contexts older than `keepMs` that no run which is still to be done names (`isWanted`, by relative path). Resolves
 * with how many were removed.
 */
export async function removeOldContexts(
  storage: Pick<BlobStore, 'list' | 'stat' | 'delete'>,
  options: { readonly clock: Clock; readonly keepMs: number; readonly isWanted: (relativePath: string) => boolean },
): Promise<number> {
  const prefix = 'contexts/';
  let removed = 0;
  let after: string | undefined;
  do {
    const page = await storage.list(prefix, after === undefined ? {} : { after });
    for (const key of page.keys) {
      const modifiedAt = (await storage.stat(key))?.modifiedAt ?? options.clock.now();
      const isOld = options.clock.now() - modifiedAt > options.keepMs;
      if (isOld && !options.isWanted(key.slice(prefix.length)) && (await storage.delete(key))) removed += 1;
    }
    after = page.next;
  } while (after !== undefined);
  return removed;
}
