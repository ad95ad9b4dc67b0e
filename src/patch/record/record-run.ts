import type { Run, OutputImage } from '../../domain/run.ts';
import type { Task } from '../../domain/task.ts';
import type { RunNotice } from '../../queue/ports.ts';
import type { BaseImageStore, RunStore, TaskStore } from '../../store/ports.ts';
import type { PlatformReader, TagKeeper } from '../ports.ts';
import { afterFailure, afterSuccess } from './after-run.ts';
import { isOwnState } from './own-state.ts';
import { findPlatforms } from './platforms-of-run.ts';

export interface RecordRunOptions {
  readonly tasks: Pick<TaskStore, 'get'>;
  readonly baseImages: Pick<BaseImageStore, 'get' | 'update' | 'delete'>;
  readonly tags: Pick<TagKeeper, 'digestOf'>;
  readonly platformsOf: PlatformReader;
}

/** A tag that was kept, because the image is the same, stands for what it stood for: see the registry. Only campaigns' pushes are kept so. */
async function findPushed({ cause, outputImages }: Run, { tags }: RecordRunOptions): Promise<readonly OutputImage[]> {
  if (cause?.kind !== 'image-update') return outputImages;
  return Promise.all(
    outputImages.map(async (image) => {
      const digest = image.tag === undefined ? undefined : await tags.digestOf({ ...image });
      return digest === undefined ? image : { ...image, digest };
    }),
  );
}

/** A run that was made before the task was changed may be one of how it was. */
function isOfThisVersion({ createTime }: Run, { lastUpdatedTime }: Task): boolean {
  return Date.parse(createTime) >= Date.parse(lastUpdatedTime);
}

async function recordGood(run: Run, task: Task, options: RecordRunOptions): Promise<void> {
  const { baseImages, platformsOf } = options;
  const pushed = await findPushed(run, options);
  const dependencies = await findPlatforms(run.dependencies ?? [], await baseImages.get(task.name), platformsOf);
  const isOwn = isOfThisVersion(run, task) && isOwnState(run, task);
  const good = { run: { ...run, dependencies }, task, pushed, isOwn };
  await baseImages.update(task.name, (before) => afterSuccess(before, good));
}

const failures: ReadonlySet<Run['status']> = new Set<Run['status']>(['Failed', 'Timeout', 'Error']);

async function update(run: Run, task: Task, options: RecordRunOptions): Promise<void> {
  const { baseImages } = options;
  if (run.status === 'Succeeded') {
    await recordGood(run, task, options);
  } else if (failures.has(run.status) && run.cause?.kind === 'image-update') {
    await baseImages.update(task.name, (before) => afterFailure(before, task, run));
  }
}

/**
 * Keeps what a run that has ended tells of the images of its task: after a good one, what they really stand on, by digests; after one of a
 * campaign that failed, how many did in a row. To be called at least once for each run, in any order, as often as one likes. Rejects with
 * `redis-unavailable` or `storage-unavailable`, to be called again.
 */
export async function recordRun(run: Run, options: RecordRunOptions): Promise<void> {
  const { task: name } = run;
  const task = name === undefined ? undefined : await options.tasks.get(name);
  if (task === undefined) return;
  await update(run, task, options);
  // It may have been deleted meanwhile: nothing of it may come back then.
  if ((await options.tasks.get(task.name)) === undefined) await options.baseImages.delete(task.name);
}

export interface RunRecorderOptions extends RecordRunOptions {
  readonly runs: Pick<RunStore, 'get'>;
  /** Told of each run that has ended, when what it tells is kept: a campaign decides by that. */
  readonly onRecorded: (run: Run) => Promise<void>;
}

/** Makes the handler of the notices of listener `base-images`: see {@link recordRun}. */
export function createRunRecorder(options: RunRecorderOptions): (notice: RunNotice) => Promise<void> {
  return async ({ runId, kind }) => {
    const run = kind === 'ended' ? await options.runs.get(runId) : undefined;
    if (run === undefined) return;
    await recordRun(run, options);
    await options.onRecorded(run);
  };
}
