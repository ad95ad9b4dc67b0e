/** How soon the runs of everything that stands on a base are queued, beside BullMQ putting as many jobs into a queue and nothing else. */
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { systemClock } from '../src/domain/clock.ts';
import type { Digest } from '../src/domain/digest.ts';
import type { RunCause } from '../src/domain/run-cause.ts';
import type { RunId } from '../src/domain/run.ts';
import type { TaskName } from '../src/domain/task.ts';
import { createBullRunNotices } from '../src/queue/bullmq/run-notices.ts';
import { createBullQueue, jobOf } from '../src/queue/bullmq/run-queue.ts';
import { createRedisStore } from '../src/store/redis/store.ts';
import { submitMany, type SubmitManyDeps } from '../src/trigger/submit-many.ts';
import type { Submission } from '../src/trigger/submit.ts';
import { startRedis, type PrivateRedis } from '../test/rig/redis.ts';
import { aRequest } from '../test/rig/runs.ts';
import { median, type Row } from './table.ts';

const [runCount, rounds] = [10_000, 5];

async function time(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function connectTo({ url }: PrivateRedis): Redis {
  return new Redis(url.replace('unix://', ''), { maxRetriesPerRequest: null });
}

/** What a campaign asks for: a run of each of so many tasks, all for the same new base. */
function prepareRuns(round: number): readonly Submission[] {
  const digest = `sha256:${round.toString(16).padStart(64, '0')}` as Digest;
  const images = [{ registry: 'localhost:5080', repository: 'bases/node', tag: '20', digest }];
  const timestamp = new Date().toISOString();
  const cause: RunCause = { kind: 'image-update', id: `cp${round}`, timestamp, images, campaign: `cp${round}` };
  return Array.from({ length: runCount }, (_, at) => ({
    request: aRequest({
      imageNames: [`team/app-${at}:{{.Run.ID}}`, `team/app-${at}:latest`],
      sourceLocation: `https://github.com/team/app-${at}.git#main:services/app`,
    }),
    cause,
    task: { name: `app-${at}` as TaskName },
    idempotencyKey: `campaign/cp${round}/app-${at}/1`,
  }));
}

/** A queue's own way, with the jobs as ours are. */
async function measureBare(redis: Redis, round: number): Promise<number> {
  const queue = new Queue(`bare-${round}`, { connection: redis, prefix: 'bare' });
  await queue.waitUntilReady();
  const now = Date.now();
  const place = { lane: 'patches', since: now } as const;
  const ms = await time(() =>
    queue.addBulk(Array.from({ length: runCount }, (_, at) => jobOf({ id: `ca${at + 1}` as RunId, place }, now))),
  );
  await queue.close();
  return ms;
}

async function openOurs({ url }: PrivateRedis) {
  const store = await createRedisStore({ url, clock: systemClock });
  const place = { url, prefix: 'slipway' };
  const [queue, notices] = [await createBullQueue(place), await createBullRunNotices(place)];
  let telling: Promise<void> = Promise.resolve();
  const deps: SubmitManyDeps = {
    runs: store.runs,
    queue,
    notices: { publishMany: (...all) => (telling = notices.publishMany(...all)) },
    key: Buffer.alloc(32, 7),
    checkLocation: (location) => ({ location }),
    hasUpload: async () => true,
    onWarning: (message, error) => {
      throw new Error(message, { cause: error });
    },
  };
  return {
    submit: (wanted: readonly Submission[]) => submitMany(deps, wanted),
    /** Resolves when those who are told of runs have been, too. */
    settle: () => telling,
    async close() {
      await Promise.all([queue.close(), notices.close(), store.close()]);
    },
  };
}

/** In turns, so that both see the same machine; each on an empty Redis, the first round to warm up. */
async function benchSubmitMany(): Promise<Row> {
  const server = await startRedis();
  const [bare, ours] = [connectTo(server), await openOurs(server)];
  const figures = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round <= rounds; round += 1) {
    await bare.flushall();
    const floor = await measureBare(bare, round);
    await bare.flushall();
    const wanted = prepareRuns(round);
    const ms = await time(() => ours.submit(wanted));
    await ours.settle();
    if (round > 0) figures.bare.push(floor);
    if (round > 0) figures.ours.push(ms);
  }
  bare.disconnect();
  await ours.close();
  await server.dispose();
  const [mine, floor] = [median(figures.ours), median(figures.bare)];
  const name = `${runCount.toLocaleString('en')} runs made and queued`;
  return { name, ours: mine, floor, ratio: mine / floor, unit: 'ms', target: '≤ 1.5 × addBulk' };
}

/** The figures of base-image patching. */
export async function benchPatching(): Promise<Row[]> {
  return [await benchSubmitMany()];
}
