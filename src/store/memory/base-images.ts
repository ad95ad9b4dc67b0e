import { referenceKeyOf, type ObservedImage, type TaskImages } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { maxRemovedRecords, removedName } from '../base-image-changes.ts';
import type { BaseImageStore } from '../ports.ts';
import { taskKeyOf } from '../task-changes.ts';

interface Kept {
  readonly record: TaskImages;
  /** The number of the change that wrote it. */
  readonly number: number;
}

/** Records by their tasks' keys, in the order in which they were written, with what was removed of them. */
class Records {
  readonly #kept = new Map<string, Kept>();
  /** Keys with the numbers of the changes that removed them, oldest first. */
  readonly #removed = new Map<string, number>();
  #number = 0;
  /** The youngest removal that is not remembered any more. */
  #forgotten = 0;

  get(key: string): TaskImages | undefined {
    return this.#kept.get(key)?.record;
  }

  set(key: string, record: TaskImages): void {
    this.#removed.delete(key);
    this.#kept.delete(key);
    this.#kept.set(key, { record, number: ++this.#number });
  }

  remove(key: string): void {
    if (!this.#kept.delete(key)) return;
    this.#removed.set(key, ++this.#number);
    const [oldest] = this.#removed;
    if (this.#removed.size <= maxRemovedRecords || !oldest) return;
    this.#removed.delete(oldest[0]);
    this.#forgotten = oldest[1];
  }

  since(cursor: string | undefined): Awaited<ReturnType<BaseImageStore['changes']>> {
    const seen = Number(cursor ?? NaN);
    const isWhole = !(seen >= this.#forgotten && seen <= this.#number);
    const from = isWhole ? 0 : seen;
    const kept = from === this.#number ? [] : [...this.#kept.values()].filter(({ number }) => number > from);
    const removed = isWhole || from === this.#number ? [] : [...this.#removed].filter(([, number]) => number > from);
    return {
      records: kept.map(({ record }) => record),
      removed: removed.map(([key]) => removedName(key)),
      isWhole,
      cursor: String(this.#number),
    };
  }
}

function createObserved(): Pick<BaseImageStore, 'observed' | 'observe' | 'forget'> {
  const kept = new Map<string, ObservedImage>();
  const find = (image: ImageIdentity): ObservedImage | undefined => kept.get(referenceKeyOf(image) ?? '');
  return {
    observed: async (images) => images.map(find),
    async observe(observed, changes) {
      const key = referenceKeyOf(observed.image);
      if (key === undefined || (kept.get(key)?.changes ?? 0) !== changes) return false;
      kept.set(key, { ...observed, changes: changes + 1 });
      return true;
    },
    async forget(images) {
      for (const image of images) kept.delete(referenceKeyOf(image) ?? '');
    },
  };
}

/** What a memory store knows of base images: {@link BaseImageStore} to the letter. */
export function createMemoryBaseImages(): BaseImageStore {
  const records = new Records();
  return {
    ...createObserved(),
    get: async (task) => records.get(taskKeyOf(task)),
    async put(record) {
      const key = taskKeyOf(record.task);
      if ((records.get(key)?.taskVersion ?? 0) > record.taskVersion) return false;
      records.set(key, record);
      return true;
    },
    async update(task, change) {
      const key = taskKeyOf(task);
      const before = records.get(key);
      const after = change(before);
      if (after && after !== before) records.set(key, after);
      return after ?? before;
    },
    async delete(task) {
      records.remove(taskKeyOf(task));
    },
    changes: async (cursor) => records.since(cursor),
  };
}
