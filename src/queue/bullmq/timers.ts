import { Queue, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../domain/clock.ts';
import { fail } from '../../domain/failure.ts';
import type { TaskName, TimerTrigger } from '../../domain/task.ts';
import { definitionOf, dueOccurrence, missedAfterMs, missedOccurrence, newestOccurrence } from '../occurrences.ts';
import type { TimerOccurrence, TimerQueue } from '../ports.ts';
import { connect, guard, keyPrefix, type BullOptions } from './connection.ts';
import { consumerOf } from './consumer.ts';
import { createTimerMarks, type Mark, type TimerMarks } from './timer-marks.ts';

export interface BullTimersOptions extends BullOptions {
  readonly clock: Clock;
  /** How often an occurrence is handed out before it is given up; 8 when left out. */
  readonly attempts?: number;
  /** Milliseconds before the second time, doubled each time after; 1000 when left out. */
  readonly backoffMs?: number;
  /** How long an occurrence stays with a consumer that says nothing more; 30 s when left out. */
  readonly lockMs?: number;
}

/** What Redis holds of an alarm: the timer; and for one that is made up for, when it was. */
interface TimerJob {
  readonly task: TaskName;
  readonly timer: TimerTrigger;
  readonly at?: number;
}

interface Timers {
  readonly options: BullTimersOptions;
  readonly redis: Redis;
  readonly queue: Queue<TimerJob>;
  readonly marks: TimerMarks;
}

const queueName = 'timers';
const concurrency = 4;
/** An occurrence is given up when its handling fails, not when its consumers die. */
const mostStalls = 1000;

/** Names of tasks hold no dot, so no two timers share a scheduler. */
function schedulerId(task: TaskName, timer: string): string {
  return `${task.toLowerCase()}.${encodeURIComponent(timer)}`;
}

function markOf({ task, timer }: TimerJob): Mark {
  return { task, timer: timer.name, definition: definitionOf(timer) };
}

function jobOptions({ attempts = 8, backoffMs = 1000 }: BullTimersOptions) {
  return {
    attempts,
    backoff: { type: 'exponential', delay: backoffMs },
    removeOnComplete: true,
    // What was given up is not seen: it is made up for when the timer is set the next time.
    removeOnFail: true,
  };
}

/** Leaves a scheduler alone that is as it should be: to set it again would take away an alarm that is due and not taken yet. */
async function schedule({ queue, options }: Timers, data: TimerJob): Promise<void> {
  const { schedule: pattern, timeZone: tz = 'UTC' } = data.timer;
  const id = schedulerId(data.task, data.timer.name);
  const known = await queue.getJobScheduler(id);
  const isAlive = known?.next !== undefined && known.next > options.clock.now() - missedAfterMs;
  if (isAlive && isDeepStrictEqual([known.pattern, known.tz, known.template?.data], [pattern, tz, data])) return;
  await queue.upsertJobScheduler(id, { pattern, tz }, { name: 'alarm', data, opts: jobOptions(options) });
}

function checkSchedule(timer: TimerTrigger, now: number): void {
  try {
    newestOccurrence(timer, now - 1, now);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be read';
    throw fail('invalid-request', `the timer "${timer.name}" cannot be set: ${why}`, { field: 'schedule' });
  }
}

async function setTimer(timers: Timers, data: TimerJob): Promise<void> {
  const { queue, marks, options } = timers;
  const now = options.clock.now();
  checkSchedule(data.timer, now);
  const missed = missedOccurrence(data.timer, await marks.begin(markOf(data), now), now);
  await schedule(timers, data);
  if (missed === undefined) return;
  const jobId = `${schedulerId(data.task, data.timer.name)}-${missed}`;
  await queue.add('missed', { ...data, at: missed }, { ...jobOptions(options), jobId });
}

async function removeTimers({ queue, marks }: Timers, task: TaskName, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => queue.removeJobScheduler(schedulerId(task, name))));
  await marks.remove(task, names);
}

/** JSON has no undefined, and jobs are compared with what was read from it. */
function plain(task: TaskName, timer: TimerTrigger): TimerJob {
  return JSON.parse(JSON.stringify({ task, timer })) as TimerJob;
}

async function setAll(timers: Timers, task: TaskName, wanted: readonly TimerTrigger[]): Promise<void> {
  const names = new Set(wanted.map(({ name }) => name));
  const known = await timers.marks.list(task);
  for (const timer of wanted) await setTimer(timers, plain(task, timer));
  const others = known.filter((name) => !names.has(name));
  await removeTimers(timers, task, others);
}

/** The time that an alarm was set for: the library ends the ids of a scheduler's jobs with it. */
function timeOf(job: Job<TimerJob>): number {
  return job.data.at ?? Number(job.id?.split(':').at(-1));
}

/** Works an alarm off: hands out what is due, and marks it as seen. */
async function ring(
  { marks, options }: Pick<Timers, 'marks' | 'options'>,
  job: Job<TimerJob>,
  handle: (occurrence: TimerOccurrence) => Promise<void>,
): Promise<void> {
  const { task, timer } = job.data;
  const mark = markOf(job.data);
  const seen = await marks.read(mark);
  if (seen === undefined) return;
  const alarm = { at: timeOf(job), seen, now: options.clock.now() };
  const due = dueOccurrence(timer, alarm);
  if (due === undefined) return;
  await handle({ task, timer, at: new Date(due).toISOString() });
  await marks.advance(mark, due);
}

async function startConsumer(
  options: BullTimersOptions,
  handle: (occurrence: TimerOccurrence) => Promise<void>,
  onError: (error: Error) => void,
) {
  const redis = await connect(options, 'wait');
  const marks = createTimerMarks(redis, options.prefix);
  const worker = new Worker<TimerJob>(queueName, (job) => ring({ marks, options }, job, handle), {
    connection: redis,
    prefix: keyPrefix(options.prefix),
    concurrency,
    lockDuration: options.lockMs ?? 30_000,
    stalledInterval: (options.lockMs ?? 30_000) / 3,
    maxStalledCount: mostStalls,
    runRetryDelay: 500,
  });
  return consumerOf(redis, [worker], onError);
}

/**
 * The timers of tasks on BullMQ's job schedulers, which go on from "now": what they miss while nobody is there is known by the marks of what
 * was seen. All may be called in any number of processes.
 * @throws as {@link connect}.
 */
export async function createBullTimers(options: BullTimersOptions): Promise<TimerQueue> {
  const redis = await connect(options, 'fail-fast');
  const queue = new Queue<TimerJob>(queueName, { connection: redis, prefix: keyPrefix(options.prefix) });
  queue.on('error', () => undefined);
  await guard(redis, () => queue.waitUntilReady());
  const timers = { options, redis, queue, marks: createTimerMarks(redis, options.prefix) };
  return {
    set: (task, wanted) => guard(redis, () => setAll(timers, task, wanted)),
    removeAll: (task) => guard(redis, () => setAll(timers, task, [])),
    listTasks: () => guard(redis, () => timers.marks.listTasks()),
    consume: (handle, onError) => startConsumer(options, handle, onError),
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}
