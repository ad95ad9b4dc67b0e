import type { Task } from '../../domain/task.ts';
import type { TaskStore } from '../ports.ts';
import { hasTimers, taskKeyOf, versionConflict } from '../task-changes.ts';

interface KeptTask {
  readonly task: Task;
  readonly repositoryKeys: ReadonlySet<string>;
}

/** The tasks of a memory store: {@link TaskStore} to the letter. */
export function createMemoryTasks(): TaskStore {
  const kept = new Map<string, KeptTask>();
  const find = (isWanted: (one: KeptTask) => boolean): readonly Task[] =>
    [...kept.values()].filter(isWanted).map(({ task }) => task);
  return {
    get: async (name) => kept.get(taskKeyOf(name))?.task,
    getMany: async (names) => names.map((name) => kept.get(taskKeyOf(name))?.task),
    async list({ limit, after }) {
      const from = after === undefined ? '' : taskKeyOf(after);
      const keys = [...kept.keys()].filter((key) => key > from).sort();
      const page = keys.slice(0, limit);
      const tasks = page.flatMap((key) => kept.get(key)?.task ?? []);
      const last = page.at(-1);
      return { tasks, ...(keys.length > limit && last !== undefined && { next: last }) };
    },
    findByRepository: async (key) => find(({ repositoryKeys }) => repositoryKeys.has(key)),
    listWithTimers: async () => find(({ task }) => hasTimers(task)),
    async put(task, expected, repositoryKeys) {
      const key = taskKeyOf(task.name);
      const stored = kept.get(key)?.task;
      const found = stored?.version ?? 0;
      if (found !== expected) throw versionConflict(task.name, expected, found);
      const written = { ...task, name: stored?.name ?? task.name, version: expected + 1 };
      kept.set(key, { task: written, repositoryKeys: new Set(repositoryKeys) });
      return written;
    },
    delete: async (name) => kept.delete(taskKeyOf(name)),
  };
}
