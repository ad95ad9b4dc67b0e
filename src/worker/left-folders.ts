import type { Logger } from 'pino';
import type { BlobStore } from '../blob/ports.ts';
import type { Clock } from '../domain/clock.ts';
import type { Task } from '../domain/task.ts';
import { folderPrefix, folderRepositoryOf, isOfRepository } from '../domain/task-folder.ts';
import type { Store } from '../store/ports.ts';

/** The folders of tasks, as our registry keeps them. Rejects with `source-unavailable` when it is away. */
export interface FolderRegistry {
  /** When a folder was pushed last, milliseconds since the epoch; undefined: there is none, or something else beside it. */
  pushedAt(repository: string): Promise<number | undefined>;
  /** Removes it, if it is still there; false: it is locked. */
  remove(repository: string): Promise<boolean>;
}

export interface LeftFoldersOptions {
  readonly storage: Pick<BlobStore, 'list' | 'readSmall' | 'delete'>;
  readonly store: { readonly runs: Pick<Store['runs'], 'listActive'>; readonly tasks: Pick<Store['tasks'], 'list'> };
  readonly registry: FolderRegistry;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

const markPrefix = 'left-';
/** How long a mark is left alone: the task may not be deleted yet, and a run that it has begun may not be made yet. */
const settleMs = 30_000;
const pageTasks = 200;

/** Notes that the folder of a task is to go, if it has one; to be called before the task is deleted, so that nothing is forgotten. */
export async function markLeftFolder(storage: Pick<BlobStore, 'put'>, task: Task, now: number): Promise<void> {
  const repository = folderRepositoryOf(task.name);
  if (!isOfRepository(task.step.contextPath, repository)) return;
  await storage.put(`${markPrefix}${repository}`, Buffer.from(String(now)));
}

async function isReadByTask({ store }: LeftFoldersOptions, repository: string): Promise<boolean> {
  let after: string | undefined;
  do {
    const page = await store.tasks.list({ limit: pageTasks, ...(after !== undefined && { after }) });
    if (page.tasks.some(({ step }) => isOfRepository(step.contextPath, repository))) return true;
    after = page.next;
  } while (after !== undefined);
  return false;
}

async function isReadByRun({ store }: LeftFoldersOptions, repository: string): Promise<boolean> {
  const active = await store.runs.listActive();
  return active.some(({ request }) => isOfRepository(request.sourceLocation, repository));
}

/** Removes a folder unless it was pushed again since. */
async function removeFolder(
  { registry, logger }: LeftFoldersOptions,
  repository: string,
  markedAt: number,
): Promise<void> {
  const pushedAt = await registry.pushedAt(repository);
  if (pushedAt === undefined || pushedAt > markedAt) return;
  if (await registry.remove(repository)) logger.info({ repository }, 'the folder of a deleted task was removed');
  else logger.warn({ repository }, 'the folder of a deleted task is locked, and stays');
}

/** Sees to one mark; it goes when nothing is left to be done. */
async function settle(options: LeftFoldersOptions, key: string): Promise<void> {
  const { storage, clock } = options;
  const markedAt = Number(await storage.readSmall(key));
  if (clock.now() - markedAt < settleMs) return;
  const repository = key.slice(markPrefix.length);
  // Tasks first: afterwards there are no new runs of theirs.
  if (!(await isReadByTask(options, repository))) {
    if (await isReadByRun(options, repository)) return;
    await removeFolder(options, repository, markedAt);
  }
  await storage.delete(key);
}

/**
 * Removes the folders of tasks that were deleted, once no task and no run that is not over reads them. Can be done again, and in several
 * processes at once. Rejects as the store and the registry do.
 */
export async function removeLeftFolders(options: LeftFoldersOptions): Promise<void> {
  let after: string | undefined;
  do {
    const page = await options.storage.list(`${markPrefix}${folderPrefix}`, after === undefined ? {} : { after });
    for (const key of page.keys) await settle(options, key);
    after = page.next;
  } while (after !== undefined);
}
