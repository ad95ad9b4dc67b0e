import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore } from '../blob/ports.ts';
import type { Clock } from '../domain/clock.ts';

/** What uploads that are under way begin with, in the blob store's staging. */
export const stagedContextPrefix = 'context-';

export interface OldContextsOptions {
  readonly clock: Clock;
  /** How long a context is kept, milliseconds. */
  readonly keepMs: number;
  /** True for the relative path of a context that a run still needs. */
  readonly isWanted: (relativePath: string) => boolean;
}

type Storage = Pick<BlobStore, 'list' | 'stat' | 'delete' | 'listStaged' | 'resume'>;

/** Uploads that broke off with the process that took them. */
async function removeStaged(storage: Storage, before: number): Promise<number> {
  const old = (await storage.listStaged(stagedContextPrefix)).filter((staged) => staged.modifiedAt < before);
  for (const { id } of old) await (await storage.resume(id))?.discard();
  return old.length;
}

/** Removes uploaded contexts, whole or begun, that are older than `keepMs` and that no run needs. Resolves with their number. */
export async function removeOldContexts(storage: Storage, options: OldContextsOptions): Promise<number> {
  const prefix = 'contexts/';
  const before = options.clock.now() - options.keepMs;
  let removed = await removeStaged(storage, before);
  let after: string | undefined;
  do {
    const page = await storage.list(prefix, after === undefined ? {} : { after });
    for (const key of page.keys) {
      const isOld = ((await storage.stat(key))?.modifiedAt ?? before) < before;
      if (isOld && !options.isWanted(key.slice(prefix.length)) && (await storage.delete(key))) removed += 1;
    }
    after = page.next;
  } while (after !== undefined);
  return removed;
}

/** Removes clones and downloads that a killed worker left in `directory`: those older than any run may last. */
export async function removeOldWork(directory: string, before: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const modified = await stat(path).then(
      (found) => found.mtimeMs,
      () => before,
    );
    if (modified < before) await rm(path, { recursive: true, force: true });
  }
}
