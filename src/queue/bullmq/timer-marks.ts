import type { Redis } from 'ioredis';
import type { TaskName } from '../../domain/task.ts';
import { keyPrefix } from './connection.ts';

/**
 * KEYS: the marks of the task's timers, the tasks. ARGV: the task, the timer, its definition, now. Gives the time up to which the timer's
 * occurrences were seen; a timer that is new or was changed has seen everything so far.
 */
const beginScript = `
redis.call('SADD', KEYS[2], ARGV[1])
local at, definition = string.match(redis.call('HGET', KEYS[1], ARGV[2]) or '', '^(%d+) (.*)$')
if definition == ARGV[3] then return at end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[4] .. ' ' .. ARGV[3])
return ARGV[4]
`;

/** KEYS: the marks. ARGV: the timer, its definition, the time. Never goes back. */
const advanceScript = `
local at, definition = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^(%d+) (.*)$')
if definition == ARGV[2] and tonumber(at) < tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3] .. ' ' .. ARGV[2])
end
`;

/** One timer as its mark knows it. */
export interface Mark {
  readonly task: TaskName;
  readonly timer: string;
  /** What its occurrences hang on. */
  readonly definition: string;
}

/** Up to when each timer's occurrences were seen, in Redis. Times in milliseconds since the epoch. */
export interface TimerMarks {
  begin(mark: Mark, now: number): Promise<number>;
  advance(mark: Mark, at: number): Promise<void>;
  /** Undefined: the timer is gone or has another definition now. */
  read(mark: Mark): Promise<number | undefined>;
  /** The names of the task's timers. */
  list(task: TaskName): Promise<readonly string[]>;
  /** Forgets timers of a task, and the task with its last one. */
  remove(task: TaskName, timers: readonly string[]): Promise<void>;
  listTasks(): Promise<readonly string[]>;
}

/** The marks under `prefix`. Names of tasks are told apart ignoring letter case. */
export function createTimerMarks(redis: Redis, prefix: string): TimerMarks {
  const tasks = `${keyPrefix(prefix)}:timer-tasks`;
  const marksOf = (task: TaskName): string => `${keyPrefix(prefix)}:timer-marks:${task.toLowerCase()}`;
  return {
    async begin({ task, timer, definition }, now) {
      const args = [task.toLowerCase(), timer, definition, now];
      return Number(await redis.eval(beginScript, 2, marksOf(task), tasks, ...args));
    },
    async advance({ task, timer, definition }, at) {
      await redis.eval(advanceScript, 1, marksOf(task), timer, definition, at);
    },
    async read({ task, timer, definition }) {
      const [, at, known] = /^(\d+) (.*)$/s.exec((await redis.hget(marksOf(task), timer)) ?? '') ?? [];
      return known === definition ? Number(at) : undefined;
    },
    list: (task) => redis.hkeys(marksOf(task)),
    async remove(task, timers) {
      if (timers.length > 0) await redis.hdel(marksOf(task), ...timers);
      if ((await redis.exists(marksOf(task))) === 0) await redis.srem(tasks, task.toLowerCase());
    },
    listTasks: () => redis.smembers(tasks),
  };
}
