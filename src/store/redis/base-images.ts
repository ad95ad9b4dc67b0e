import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { TaskImages } from '../../domain/base-image.ts';
import { fail } from '../../domain/failure.ts';
import { maxRemovedRecords, removedName } from '../base-image-changes.ts';
import type { BaseImageStore } from '../ports.ts';
import { taskKeyOf } from '../task-changes.ts';
import { changesScript, putRecordScript, removeRecordScript } from './base-image-scripts.ts';
import { guard } from './connection.ts';
import type { Keys } from './keys.ts';
import { createRedisObserved } from './observed-images.ts';
import { readFields } from './read-fields.ts';
import { runScript } from './script.ts';

const maxTries = 100;

/** Kept as the version of the task, a space, and the record as JSON. */
function parseRecord(text: string | null): TaskImages | undefined {
  return text === null ? undefined : (JSON.parse(text.slice(text.indexOf(' ') + 1)) as TaskImages);
}

/**
 * The part of every cursor that is another one after each outage: Redis may have come back without its last writes, and then the same
 * number stands for another change.
 */
function createSpan(redis: Redis): () => string {
  let span = randomUUID();
  redis.on('ready', () => {
    span = randomUUID();
  });
  return () => span;
}

type ChangesReply = readonly [last: string, isWhole: 0 | 1, written: readonly string[], removed: readonly string[]];

/** What a Redis store knows of base images: {@link BaseImageStore} to the letter. */
export function createRedisBaseImages(redis: Redis, keys: Keys): BaseImageStore {
  const names = [keys.baseImages, keys.baseImageChanges, keys.baseImageRemovals, keys.baseImageCount];
  const spanOf = createSpan(redis);

  const get = async (key: string): Promise<TaskImages | undefined> =>
    parseRecord(await redis.hget(keys.baseImages, key));
  const put = async (record: TaskImages, expected: string): Promise<boolean> => {
    const args = [taskKeyOf(record.task), JSON.stringify(record), record.taskVersion, expected];
    return (await runScript(redis, putRecordScript, names, args)) === 1;
  };
  const update: BaseImageStore['update'] = async (task, change) => {
    const key = taskKeyOf(task);
    for (let tries = 0; tries < maxTries; tries++) {
      // In this order: a write in between makes the number an old one, never the record.
      const [number, before] = await Promise.all([redis.zscore(keys.baseImageChanges, key), get(key)]);
      const after = change(before);
      if (!after || after === before) return before;
      if (await put(after, number ?? '')) return after;
    }
    throw fail('conflict', `what is known of the images of task ${task} is changed by too many at once; try again`);
  };
  const changes = async (cursor: string | undefined): ReturnType<BaseImageStore['changes']> => {
    const span = spanOf();
    const known = cursor?.startsWith(`${span}.`) ? cursor.slice(span.length + 1) : '';
    const reply = await runScript(redis, changesScript, [...names, keys.baseImageForgotten], [known]);
    const [last, isWhole, written, removed] = reply as ChangesReply;
    // What was written since comes again; what was removed since will be told as removed.
    const found = await readFields(redis, keys.baseImages, written);
    return {
      records: found.flatMap((text) => parseRecord(text) ?? []),
      removed: removed.map(removedName),
      isWhole: isWhole === 1,
      cursor: `${span}.${last}`,
    };
  };
  return {
    ...createRedisObserved(redis, keys),
    get: (task) => guard(() => get(taskKeyOf(task))),
    put: (record) => guard(() => put(record, '*')),
    update: (task, change) => guard(() => update(task, change)),
    delete: (task) =>
      guard(async () => {
        const args = [taskKeyOf(task), maxRemovedRecords];
        await runScript(redis, removeRecordScript, [...names, keys.baseImageForgotten], args);
      }),
    changes: (cursor) => guard(() => changes(cursor)),
  };
}
