/** Lists and filters of a store with 10,000 tasks and 100,000 runs, beside what Redis takes to give as many records of its newest runs. */
import { Redis } from 'ioredis';
import type { Digest } from '../src/domain/digest.ts';
import type { RunEvent } from '../src/domain/event.ts';
import type { OutputImage, RunId } from '../src/domain/run.ts';
import type { StepId } from '../src/domain/step.ts';
import type { TaskName } from '../src/domain/task.ts';
import type { RunCondition, Store } from '../src/store/ports.ts';
import { createRedisStore } from '../src/store/redis/store.ts';
import { startRedis } from '../test/rig/redis.ts';
import { aRequest } from '../test/rig/runs.ts';
import { aTask, nightly } from '../test/rig/tasks.ts';
import { median, percentile, type Row } from './table.ts';

const [taskCount, runCount] = [10_000, 100_000];
/** As the API gives them when nothing else is asked for. */
const pageSize = 100;
const rounds = 200;
/** A run every 26 s fills thirty days. */
const everyMs = 26_000;
const start = Date.parse('2026-10-22T00:00:00.000Z');
const build = 'build' as StepId;
const prefix = 'scale';

function taskName(index: number): TaskName {
  return `task-${String(index).padStart(5, '0')}` as TaskName;
}

/** Every tenth run is one of task 0; the others are spread over all tasks. */
function taskOf(index: number): TaskName {
  return taskName(index % 10 === 0 ? 0 : (index * 7919) % taskCount);
}

function imageOf(index: number): OutputImage {
  const digest = `sha256:${index.toString(16).padStart(64, '0')}` as Digest;
  return { registry: 'localhost:5080', repository: `team/app-${index % 500}`, tag: `ca${index}`, digest };
}

/** Works through the numbers below `count`, a thousand at a time. */
async function forEach(count: number, work: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += 1000) {
    await Promise.all(Array.from({ length: Math.min(1000, count - from) }, (_, offset) => work(from + offset)));
  }
}

function addTask(store: Store, index: number): Promise<unknown> {
  const timerTriggers = index % 20 === 0 ? [nightly] : [];
  const task = aTask({ name: taskName(index), trigger: { timerTriggers, sourceTriggers: [] } });
  return store.tasks.put(task, 0, [`github.com/team/repository-${Math.floor(index / 5)}`]);
}

async function addRun(store: Store, index: number): Promise<RunId> {
  const cause = {
    kind: 'timer',
    timerTriggerName: 'nightly',
    scheduleOccurrence: new Date(start).toISOString(),
  } as const;
  const { run } = await store.runs.create({ runType: 'AutoBuild', request: aRequest(), task: taskOf(index), cause });
  const { runId } = run;
  await store.runs.begin(runId, 'worker-1');
  const isFailed = index % 1000 === 0;
  const events: RunEvent[] = [
    { kind: 'run-planned', steps: [{ id: build, kind: 'build' }] },
    { kind: 'step-started', step: build },
    { kind: 'step-ended', step: build, outcome: { kind: 'succeeded' } },
    ...(isFailed ? [] : [{ kind: 'image-pushed', step: build, image: imageOf(index) } as const]),
    { kind: 'run-ended', status: isFailed ? 'Failed' : 'Succeeded' },
  ];
  await store.runs.append(runId, 1, events);
  await store.events.expire(runId, 0);
  return runId;
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** One list, in turns with the floor. */
async function measure(name: string, work: () => Promise<unknown>, floor: () => Promise<unknown>): Promise<Row> {
  const figures: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds + 20; round += 1) {
    const pair = [await time(work), await time(floor)];
    if (round >= 20) pair.forEach((ms, index) => figures[index === 0 ? 0 : 1].push(ms));
  }
  const [ours, raw] = [median(figures[0]), median(figures[1])];
  const [slow, rawSlow] = figures.map((list) => percentile(list, 0.99).toFixed(1));
  const target = `< 50 ms; p99 ${slow} beside ${rawSlow}`;
  return { name: `store, ${name}`, ours, floor: raw, ratio: ours / raw, unit: 'ms', target };
}

function is(field: RunCondition['field'], value: string, operator: RunCondition['operator'] = 'eq'): RunCondition {
  return { field, operator, value };
}

const filters: Readonly<Record<string, readonly RunCondition[]>> = {
  'newest runs': [],
  'runs of a task': [is('taskName', taskName(17))],
  'runs that Failed (0.1 %)': [is('status', 'Failed')],
  'runs of a small task that Failed': [is('taskName', taskName(9000)), is('status', 'Failed')],
  'runs of a busy task that Failed': [is('taskName', taskName(0)), is('status', 'Failed')],
  'runs of a busy task not Succeeded': [is('taskName', taskName(0)), is('status', 'Succeeded', 'ne')],
  'runs of a day': [is('createTime', '2026-11-01T00:00:00Z', 'ge'), is('createTime', '2026-11-02T00:00:00Z', 'lt')],
  'runs of a day that Failed': [
    is('createTime', '2026-11-01T00:00:00Z', 'ge'),
    is('createTime', '2026-11-02T00:00:00Z', 'lt'),
    is('status', 'Failed'),
  ],
  'the run of an image': [is('outputImageManifests', `team/app-7@${imageOf(7).digest}`, 'contains')],
  'no index: a page of an image name': [is('outputImageManifests', 'no such image', 'contains')],
};

async function measureLists(store: Store, redis: Redis): Promise<Row[]> {
  const floor = async (): Promise<unknown> => {
    const ids = await redis.zrevrange(`${prefix}:runs`, 0, pageSize - 1);
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hget(`${prefix}:run:${id}`, 'record');
    return pipeline.exec();
  };
  const rows: Row[] = [];
  for (const [name, conditions] of Object.entries(filters))
    rows.push(await measure(name, () => store.runs.list({ conditions, limit: pageSize }), floor));
  const tasks = { limit: pageSize, after: taskName(5000) };
  rows.push(await measure('tasks from the middle', () => store.tasks.list(tasks), floor));
  const key = 'github.com/team/repository-99';
  rows.push(await measure('tasks of a repository', () => store.tasks.findByRepository(key), floor));
  rows.push(await measure('tasks with timers (500)', () => store.tasks.listWithTimers(), floor));
  return rows;
}

/** What a run costs in memory, beside the length of its record; then a month goes by, and memory with it. */
async function measureMemory(store: Store, redis: Redis, grown: number): Promise<Row[]> {
  const record = (await redis.hget(`${prefix}:run:ca1`, 'record'))?.length ?? Number.NaN;
  const ours = grown / runCount;
  const row = { unit: 'bytes', floor: record, ours, ratio: ours / record };
  const before = await usedMemory(redis);
  const began = performance.now();
  const removed = (await store.runs.removeOld(new Date(start + (runCount / 10) * everyMs).toISOString(), runCount))
    .length;
  const ms = (performance.now() - began) / removed;
  const freed = (before - (await usedMemory(redis))) / removed;
  return [
    { name: 'store, Redis memory per run (floor: its record)', ...row, target: 'flat' },
    {
      name: 'store, memory freed per run removed',
      ...row,
      ours: freed,
      ratio: freed / record,
      target: `as much; ${ms.toFixed(2)} ms each`,
    },
  ];
}

/** Fills a Redis of its own, and asks for pages of it. */
export async function benchStore(): Promise<Row[]> {
  const server = await startRedis();
  let now = start;
  const store = await createRedisStore({ url: server.url, prefix, clock: { now: () => now } });
  const redis = new Redis(server.url.replace('unix://', ''));
  try {
    await forEach(taskCount, async (index) => {
      await addTask(store, index);
    });
    const before = await usedMemory(redis);
    await forEach(runCount, async (index) => {
      now = start + index * everyMs;
      await addRun(store, index);
    });
    const grown = (await usedMemory(redis)) - before;
    return [...(await measureLists(store, redis)), ...(await measureMemory(store, redis, grown))];
  } finally {
    redis.disconnect();
    await store.close();
    await server.dispose();
  }
}
