import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TaskName, TimerTrigger } from '../../src/domain/task.ts';
import { createBullTimers } from '../../src/queue/bullmq/timers.ts';
import type { QueueConsumer, TimerOccurrence, TimerQueue } from '../../src/queue/ports.ts';
import { startRedis, type PrivateRedis } from '../rig/redis.ts';

const task = 'Build-App' as TaskName;
const hourMs = 3_600_000;
const daily = { name: 'daily', schedule: '0 12 * * *', status: 'Enabled' } satisfies TimerTrigger;
/** The library reads six fields too; the API does not take them. */
const everySecond = { name: 'tick', schedule: '* * * * * *', status: 'Enabled' } satisfies TimerTrigger;

let redis: PrivateRedis;
let prefix: string;
let open: TimerQueue[];
let consumers: QueueConsumer[];
let seen: string[];
let errors: string[];
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.dispose());
beforeEach(() => {
  prefix = `test-${randomUUID()}`;
  [open, consumers, seen, errors] = [[], [], [], []];
});
afterEach(async () => {
  for (const consumer of consumers) await consumer.close();
  for (const timers of open) await timers.close();
});

/** One process's timers; `at` stands its clock still. */
async function start(at?: string, url = redis.url): Promise<TimerQueue> {
  const clock = { now: () => (at === undefined ? Date.now() : Date.parse(at)) };
  const timers = await createBullTimers({ url, prefix, clock, attempts: 4, backoffMs: 20, lockMs: 600 });
  open.push(timers);
  return timers;
}
const note = async ({ task: name, timer, at }: TimerOccurrence): Promise<void> => {
  seen.push(`${name}/${timer.name}/${at}`);
};
async function consume(timers: TimerQueue, handle = note): Promise<QueueConsumer> {
  const consumer = await timers.consume(handle, (error) => errors.push(error.message));
  consumers.push(consumer);
  return consumer;
}
const soon = (look: () => unknown) => expect.poll(look, { timeout: 10_000, interval: 10 });
const times = (): number[] => seen.map((line) => Date.parse(line.split('/').at(-1) ?? ''));

describe('timers in BullMQ', () => {
  it('go off at each occurrence, once, with its exact time, for several consumers', async () => {
    const [one, other] = [await start(), await start()];
    await consume(one);
    await consume(other);
    await Promise.all([one.set(task, [everySecond]), other.set(task, [everySecond])]);
    const from = Date.now();
    await soon(() => seen.length).toBeGreaterThanOrEqual(3);
    const all = times().sort((x, y) => x - y);
    expect(new Set(all).size).toBe(all.length);
    expect(all.every((time, index) => time % 1000 === 0 && time === (all[0] ?? 0) + index * 1000)).toBe(true);
    expect((all[0] ?? 0) - from).toBeLessThanOrEqual(1000);
    expect(errors).toEqual([]);
  });

  it('go on where they were when they are set again as they are', async () => {
    const timers = await start();
    await consume(timers);
    await timers.set(task, [everySecond]);
    await soon(() => seen.length).toBeGreaterThanOrEqual(1);
    for (let count = 0; count < 40; count++) await timers.set(task, [everySecond]);
    await soon(() => seen.length).toBeGreaterThanOrEqual(3);
    const all = times().sort((x, y) => x - y);
    expect((all.at(-1) ?? 0) - (all[0] ?? 0)).toBe((new Set(all).size - 1) * 1000);
  });

  it('make up for what was missed while nobody was there: the newest, once, however many start', async () => {
    const before = await start('2026-11-18T13:00:00Z');
    await before.set(task, [daily]);
    await before.close();
    open.length = 0;
    const back = await Promise.all([1, 2, 3].map(() => start('2026-11-21T13:00:00Z')));
    await Promise.all(back.map((timers) => timers.set(task, [daily])));
    for (const timers of back) await consume(timers);
    await soon(() => seen).toEqual(['Build-App/daily/2026-11-21T12:00:00.000Z']);
    await back[0]?.set(task, [daily]);
    const later = await start('2026-11-22T12:00:00Z');
    await later.set(task, [daily]);
    await soon(() => seen.length).toBe(2);
    expect(seen[1]).toBe('Build-App/daily/2026-11-22T12:00:00.000Z');
  });

  it('make up for nothing when they are told so, are new, or were changed', async () => {
    const calm = { ...daily, name: 'calm', catchUp: false };
    const changed = { ...daily, name: 'changed' };
    await (await start('2026-11-18T13:00:00Z')).set(task, [calm, changed, daily]);
    const back = await start('2026-11-21T13:00:00Z');
    await consume(back);
    await back.set(task, [calm, { ...changed, schedule: '0 11 * * *' }, { ...daily, name: 'new' }, daily]);
    await soon(() => seen).toEqual(['Build-App/daily/2026-11-21T12:00:00.000Z']);
    await back.set('other-task' as TaskName, [daily]);
    expect(seen.length).toBe(1);
  });

  it('are forgotten when they are not in the set any more, and with their task', async () => {
    const timers = await start();
    await consume(timers);
    await timers.set(task, [everySecond, daily]);
    await soon(() => seen.length).toBeGreaterThanOrEqual(1);
    await timers.set(task, [daily]);
    const other = { ...everySecond, name: 'other' };
    await timers.set('other-task' as TaskName, [other]);
    expect((await timers.listTasks()).toSorted()).toEqual(['build-app', 'other-task']);
    const count = seen.filter((line) => line.includes('tick')).length;
    await soon(() => seen.filter((line) => line.includes('/other/')).length).toBeGreaterThanOrEqual(2);
    expect(seen.filter((line) => line.includes('tick')).length).toBeLessThanOrEqual(count + 1);
    await timers.removeAll(task);
    await timers.removeAll('OTHER-task' as TaskName);
    expect(await timers.listTasks()).toEqual([]);
  });

  it('hand an occurrence out again when its handling failed, and do not count it as seen before', async () => {
    await (await start('2026-11-18T13:00:00Z')).set(task, [daily]);
    const back = await start('2026-11-21T13:00:00Z');
    let isWell = false;
    const handle = async (occurrence: TimerOccurrence): Promise<void> => {
      if (!isWell) throw new Error('not now');
      await note(occurrence);
    };
    const first = await consume(back, handle);
    await back.set(task, [daily]);
    await soon(() => errors.length).toBe(4);
    await first.close();
    isWell = true;
    await consume(await start('2026-11-21T14:00:00Z'), handle);
    await back.set(task, [daily]);
    await soon(() => seen).toEqual(['Build-App/daily/2026-11-21T12:00:00.000Z']);
  });

  it('give what a killed consumer had to another one', async () => {
    await (await start('2026-11-18T13:00:00Z')).set(task, [daily]);
    const back = await start('2026-11-21T13:00:00Z');
    await back.set(task, [daily]);
    const script = fileURLToPath(new URL('../queue/timer-taker.ts', import.meta.url));
    const options = JSON.stringify({ url: redis.url, prefix, lockMs: 600, now: Date.parse('2026-11-21T13:00:00Z') });
    const child = spawn(process.execPath, ['--import', 'tsx', script, options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(line.toString()).toBe('2026-11-21T12:00:00.000Z\n');
    await consume(back);
    await soon(() => seen).toEqual(['Build-App/daily/2026-11-21T12:00:00.000Z']);
  });

  it('survive a restart of Redis without losing or doubling an occurrence', async () => {
    const own = await startRedis();
    const timers = await start(undefined, own.url);
    await consume(timers);
    await timers.set(task, [everySecond]);
    await soon(() => seen.length).toBeGreaterThanOrEqual(1);
    await own.stop();
    await expect(timers.set(task, [everySecond])).rejects.toMatchObject({ failure: { reason: 'redis-unavailable' } });
    await expect(timers.listTasks()).rejects.toMatchObject({ failure: { reason: 'redis-unavailable' } });
    const count = seen.length;
    await own.start();
    await soon(() => seen.length).toBeGreaterThanOrEqual(count + 2);
    expect(new Set(seen).size).toBe(seen.length);
    for (const consumer of consumers.splice(0)) await consumer.close();
    await timers.close();
    open.length = 0;
    await own.dispose();
  });

  it('refuse what is no schedule, and keep names apart', async () => {
    const timers = await start();
    for (const schedule of ['soon', '0 0 30 2 *'])
      await expect(timers.set(task, [{ ...daily, schedule }])).rejects.toMatchObject({
        failure: { reason: 'invalid-request', field: 'schedule' },
      });
    await (
      await start(new Date(Date.now() - 50 * hourMs).toISOString())
    ).set(task, [
      { ...daily, name: 'a:b.c/d é' },
      { ...daily, name: 'a' },
    ]);
    await consume(timers);
    await timers.set(task, [
      { ...daily, name: 'a:b.c/d é' },
      { ...daily, name: 'a' },
    ]);
    await soon(() => seen.length).toBe(2);
    expect(new Set(seen.map((line) => line.slice(0, line.lastIndexOf('/')))).size).toBe(2);
  });
});
