import type { Redis } from 'ioredis';
import type { Task, TaskName } from '../../domain/task.ts';
import type { TaskPage, TaskStore } from '../ports.ts';
import { hasTimers, taskKeyOf, versionConflict } from '../task-changes.ts';
import { guard } from './connection.ts';
import { hash, type Keys } from './keys.ts';
import { runScript } from './script.ts';
import { deleteTaskScript, putTaskScript } from './task-scripts.ts';

/** How many records are asked for in one command. */
const chunkTasks = 500;

/** The tasks of these keys, in their order. */
async function findTasks(redis: Redis, keys: Keys, names: readonly string[]): Promise<readonly (Task | undefined)[]> {
  const tasks: (Task | undefined)[] = [];
  for (let start = 0; start < names.length; start += chunkTasks) {
    const records = await redis.hmget(keys.taskRecords, ...names.slice(start, start + chunkTasks));
    for (const json of records) tasks.push(json === null ? undefined : (JSON.parse(json) as Task));
  }
  return tasks;
}

/** The same, those that do not exist left out. */
async function readTasks(redis: Redis, keys: Keys, names: readonly string[]): Promise<readonly Task[]> {
  return (await findTasks(redis, keys, names)).filter((task) => task !== undefined);
}

async function listTasks(redis: Redis, keys: Keys, query: { limit: number; after?: string }): Promise<TaskPage> {
  const { limit, after } = query;
  const from = after === undefined ? '-' : `(${taskKeyOf(after)}`;
  const names = await redis.zrangebylex(keys.tasks, from, '+', 'LIMIT', 0, limit + 1);
  const page = names.slice(0, limit);
  const last = page.at(-1);
  const tasks = await readTasks(redis, keys, page);
  return { tasks, ...(names.length > limit && last !== undefined && { next: last }) };
}

/** The tasks of a Redis store: {@link TaskStore} to the letter. */
export function createRedisTasks(redis: Redis, keys: Keys): TaskStore {
  const sets = [keys.tasks, keys.taskRecords, keys.taskVersions, keys.taskRepositories, keys.timedTasks];
  const readSet = (name: string): Promise<readonly Task[]> =>
    guard(async () => readTasks(redis, keys, await redis.smembers(name)));

  const put = async (task: Task, expected: number, repositoryKeys: readonly string[]): Promise<Task> => {
    const { name, ...record } = { ...task, version: expected + 1 };
    const timed = hasTimers(task) ? '1' : '0';
    const hashes = [...new Set(repositoryKeys)].map(hash);
    const args = [taskKeyOf(name), name, JSON.stringify(record), expected, timed, keys.repositories, ...hashes];
    const [isPut, kept] = (await runScript(redis, putTaskScript, sets, args)) as [1, TaskName] | [0, number];
    if (isPut === 0) throw versionConflict(name, expected, kept);
    return { ...record, name: kept };
  };
  return {
    get: (name) => guard(async () => (await readTasks(redis, keys, [taskKeyOf(name)]))[0]),
    getMany: (names) => guard(() => findTasks(redis, keys, names.map(taskKeyOf))),
    list: (query) => guard(() => listTasks(redis, keys, query)),
    findByRepository: (key) => readSet(keys.repository(key)),
    listWithTimers: () => readSet(keys.timedTasks),
    put: (task, expected, repositoryKeys) => guard(() => put(task, expected, repositoryKeys)),
    delete: (name) =>
      guard(async () => {
        const args = [taskKeyOf(name), keys.repositories];
        return (await runScript(redis, deleteTaskScript, sets, args)) === 1;
      }),
  };
}
