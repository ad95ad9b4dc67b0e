import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import type { Argument } from '../../src/domain/run-request.ts';
import type { Run } from '../../src/domain/run.ts';
import type { Task, TaskName, TimerTrigger } from '../../src/domain/task.ts';
import { createMemoryQueue } from '../../src/queue/memory/runs.ts';
import { createMemoryTimers } from '../../src/queue/memory/timers.ts';
import type { RunQueue, TimerQueue } from '../../src/queue/ports.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/ports.ts';
import { createTimerTrigger, createTimerUpdate, reconcileTimers, timersOf } from '../../src/trigger/timer.ts';
import { aTask, nightly } from '../rig/tasks.ts';

const at = '2026-11-22T03:00:00.000Z';
let now: number;
const clock = { now: () => now };
let store: Store;
let queue: RunQueue;
let timers: ReturnType<typeof createMemoryTimers>;
let said: { msg: string; because?: string }[];
const logger = pino({ base: null, timestamp: false }, { write: (line: string) => void said.push(JSON.parse(line)) });

beforeEach(() => {
  now = Date.parse('2026-11-21T12:00:00Z');
  store = createMemoryStore({ clock });
  queue = createMemoryQueue();
  timers = createMemoryTimers({ clock });
  said = [];
});

const trigger = (checkPlan: () => void = () => undefined, followed: readonly Argument[] = []) =>
  createTimerTrigger({
    runs: store.runs,
    queue,
    workers: store.workers,
    key: Buffer.alloc(32),
    checkPlan,
    findFollowed: async () => followed,
    checkLocation: (location) => ({ location }),
    hasUpload: async () => false,
    onWarning: () => undefined,
    tasks: store.tasks,
    logger,
  });
const withTimers = (...timerTriggers: TimerTrigger[]): Partial<Task> => ({
  trigger: { timerTriggers, sourceTriggers: [] },
});
const step = { ...aTask().step, contextPath: 'https://git.example.com/app.git' };
const put = (change: Partial<Task> = {}, seen = 0): Promise<Task> =>
  store.tasks.put(aTask({ step, ...withTimers(nightly), ...change }), seen, []);
const occurrence = { task: 'build-app' as TaskName, timer: nightly, at };
const all = async (): Promise<readonly Run[]> => (await store.runs.list({ conditions: [], limit: 100 })).runs;

describe('an occurrence of a timer', () => {
  it('starts a run of its task, in the lane of timers, that says when and by which timer', async () => {
    await put({ agentPoolName: 'GPU', maxConcurrentRuns: 2 });
    await trigger()(occurrence);
    const [run] = await all();
    expect(run).toMatchObject({
      runType: 'AutoBuild',
      task: 'build-app',
      pool: 'gpu',
      maxConcurrent: 2,
      cause: { kind: 'timer', timerTriggerName: 'nightly', scheduleOccurrence: at },
    });
    expect(await queue.position(run!.runId, 'gpu')).toBe(1);
  });

  it('is on the newest tag that its task follows', async () => {
    await put();
    const followed = [{ name: 'NODE', value: 'v10', isSecret: false, isFollowed: true as const }];
    await trigger(undefined, followed)(occurrence);
    expect((await all())[0]?.request).toMatchObject({ arguments: followed });
  });

  it('starts one run however often and by however many it is told', async () => {
    await put();
    await Promise.all([trigger()(occurrence), trigger()(occurrence), trigger()(occurrence)]);
    await trigger()({ ...occurrence, task: 'Build-App' as TaskName });
    expect((await all()).length).toBe(1);
    await trigger()({ ...occurrence, at: '2026-11-23T03:00:00.000Z' });
    expect((await all()).length).toBe(2);
  });

  it.each<[string, Partial<Task> | undefined, string]>([
    ['whose task is gone', undefined, 'the task is gone'],
    ['of a disabled task', { status: 'Disabled' }, 'the task is disabled'],
    ['of a timer that is gone', withTimers({ ...nightly, name: 'other' }), 'the timer is gone'],
    ['of a disabled timer', withTimers({ ...nightly, status: 'Disabled' }), 'the timer is disabled'],
    ['of a changed schedule', withTimers({ ...nightly, schedule: '0 4 * * *' }), 'the timer has another schedule now'],
    [
      'of a changed time zone',
      withTimers({ ...nightly, timeZone: 'Asia/Tokyo' }),
      'the timer has another schedule now',
    ],
  ])('%s is ignored, and why is logged', async (_, change, because) => {
    if (change) await put(change);
    await trigger()(occurrence);
    expect(await all()).toEqual([]);
    expect(said).toMatchObject([{ msg: 'an occurrence of a timer is ignored', because }]);
  });

  it('of a timer that says UTC now, and said nothing, is the same', async () => {
    await put(withTimers({ ...nightly, timeZone: 'UTC' }));
    await trigger()(occurrence);
    expect((await all()).length).toBe(1);
  });

  it('that cannot be run is logged and left; what passes is told again', async () => {
    await put();
    const refuse = (reason: 'invalid-request' | 'redis-unavailable') => () => {
      throw fail(reason, 'no');
    };
    await trigger(refuse('invalid-request'))(occurrence);
    expect(said).toMatchObject([{ msg: 'an occurrence of a timer cannot be run' }]);
    await expect(trigger(refuse('redis-unavailable'))(occurrence)).rejects.toMatchObject({
      failure: { reason: 'redis-unavailable' },
    });
  });
});

describe('the timers of tasks', () => {
  const hourMs = 3_600_000;
  const consume = () => timers.consume(trigger(), () => undefined);

  it('are those that are enabled, of a task that is', () => {
    const off = { ...nightly, name: 'off', status: 'Disabled' } as const;
    expect(timersOf(aTask(withTimers(nightly, off)))).toEqual([nightly]);
    expect(timersOf(aTask({ ...withTimers(nightly), status: 'Disabled' }))).toEqual([]);
    expect(timersOf(undefined)).toEqual([]);
  });

  it('follow a change of the task at once', async () => {
    const update = createTimerUpdate(timers);
    const task = await put();
    await update(undefined, task);
    expect(await timers.listTasks()).toEqual(['build-app']);
    await update(task, { ...task, status: 'Disabled' });
    expect(await timers.listTasks()).toEqual([]);
    await update(undefined, task);
    await update(task, undefined);
    expect(await timers.listTasks()).toEqual([]);
  });

  it('do not trouble the queue for tasks without any', async () => {
    const set = () => Promise.reject(new Error('asked'));
    await createTimerUpdate({ set })(aTask(), aTask());
    await createTimerUpdate({ set })(undefined, undefined);
  });

  it('start a run a night, and one for all the nights when nobody was there', async () => {
    await put();
    await reconcileTimers({ timers, tasks: store.tasks, logger });
    await consume();
    now += 16 * hourMs;
    await timers.look();
    await timers.look();
    expect((await all()).length).toBe(1);
    now += 5 * 24 * hourMs;
    await reconcileTimers({ timers, tasks: store.tasks, logger });
    await timers.look();
    const causes = (await all()).map(({ cause }) => cause?.kind === 'timer' && cause.scheduleOccurrence);
    expect(causes).toEqual(['2026-11-27T03:00:00.000Z', '2026-11-22T03:00:00.000Z']);
  });

  it('are put right at a start: of tasks that are gone or disabled they go, of others they come', async () => {
    await timers.set('gone-task' as TaskName, [nightly]);
    await timers.set('OFF-task' as TaskName, [nightly]);
    await put();
    await put({ name: 'off-task' as TaskName, status: 'Disabled' });
    await reconcileTimers({ timers, tasks: store.tasks, logger });
    expect(await timers.listTasks()).toEqual(['build-app']);
  });

  it('of a task that cannot be set do not keep others from theirs, unless the queue is away', async () => {
    await put({ name: 'first-one' as TaskName });
    await put();
    const tell = (reason: 'invalid-request' | 'redis-unavailable'): TimerQueue['set'] => {
      return (name, wanted) => (name === 'first-one' ? Promise.reject(fail(reason, 'no')) : timers.set(name, wanted));
    };
    await reconcileTimers({ timers: { ...timers, set: tell('invalid-request') }, tasks: store.tasks, logger });
    expect(await timers.listTasks()).toEqual(['build-app']);
    expect(said).toMatchObject([{ msg: 'the timers of this task cannot be set' }]);
    const away = { ...timers, set: tell('redis-unavailable') };
    await expect(reconcileTimers({ timers: away, tasks: store.tasks, logger })).rejects.toMatchObject({
      failure: { reason: 'redis-unavailable' },
    });
  });
});
