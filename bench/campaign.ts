/**
 * From the end of a base's push to the registry to the last of 10,000 runs in the queue, through all real processes, beside BullMQ putting as
 * many jobs into a queue of the same Redis and nothing else.
 */
import { createHash } from 'node:crypto';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { TaskImages } from '../src/domain/base-image.ts';
import { systemClock } from '../src/domain/clock.ts';
import type { Digest } from '../src/domain/digest.ts';
import { inSlices } from '../src/domain/slices.ts';
import type { RunId } from '../src/domain/run.ts';
import type { TaskName } from '../src/domain/task.ts';
import { findImpact } from '../src/patch/impact/impact.ts';
import { createImageGraph } from '../src/patch/graph/image-graph.ts';
import { jobOf } from '../src/queue/bullmq/run-queue.ts';
import { createRedisStore } from '../src/store/redis/store.ts';
import { startInstallation, type Installation } from '../test/rig/installation.ts';
import { aTask } from '../test/rig/tasks.ts';
import { median, type Row } from './table.ts';

const [taskCount, rounds] = [10_000, 3];
const imageType = 'application/vnd.oci.image.manifest.v1+json';
const trigger = { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled' } as const;

function sha(text: string): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest;
}

/** Makes tasks that stand on one base, and the records of what they were built on. */
async function seed(slipway: Installation): Promise<void> {
  const store = await createRedisStore({ url: slipway.env['REDIS_URL'] ?? '', prefix: 'slipway', clock: systemClock });
  const at = new Date().toISOString();
  const names = Array.from({ length: taskCount }, (_, index) => `app-${String(index)}-task` as TaskName);
  await inSlices(names, 100, async (slice) => {
    await Promise.all(slice.map((name) => addTask(store, slipway.registryHost, name, at)));
    return slice;
  });
  await store.close();
}

async function addTask(
  store: Awaited<ReturnType<typeof createRedisStore>>,
  registry: string,
  name: TaskName,
  at: string,
): Promise<void> {
  const { step, trigger: others } = aTask();
  const contextPath = `https://github.com/team/${name}.git#main:services/app`;
  const imageNames = [`team/${name}:{{.Run.ID}}`, `team/${name}:latest`];
  const made = { ...step, contextPath, ...(step.type === 'Docker' && { imageNames }) };
  const task = aTask({ name, step: made, trigger: { ...others, baseImageTrigger: trigger } });
  const { version } = await store.tasks.put(task, 0, []);
  const record: TaskImages = {
    task: name,
    taskVersion: version,
    learned: { from: 'run', runId: 'ca1' as RunId, at },
    images: [
      {
        image: { registry, repository: `team/${name}`, tag: 'latest', digest: sha(name) },
        runtime: { registry, repository: 'bases/node', tag: '20', digest: sha('before') },
        buildTime: [],
      },
    ],
    stepImages: [],
    problems: [],
    trigger,
    isEnabled: true,
    durationMs: 60_000,
    builtTime: at,
    failuresInRow: 0,
  };
  await store.baseImages.put(record);
}

/** Pushes a base of no layers; resolves when the registry has answered. */
async function pushBase(slipway: Installation, version: number): Promise<void> {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
    version,
  });
  const digest = sha(config);
  await slipway.request(`/v2/bases/node/blobs/uploads/?digest=${digest}`, { method: 'POST', body: config });
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: imageType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: config.length },
    layers: [],
  });
  const headers = { 'content-type': imageType };
  await slipway.request('/v2/bases/node/manifests/20', { method: 'PUT', headers, body });
}

async function waitFor(isDone: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000;
  while (!(await isDone())) {
    if (Date.now() > end) throw new Error('it did not come to its end within two minutes');
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}

interface Campaigns {
  readonly value: readonly { readonly name: string; readonly properties: { readonly status: string } }[];
}

/** Milliseconds from the answer to the push to the last run in the queue. */
async function measureOurs(slipway: Installation, redis: Redis, round: number): Promise<number> {
  const queued = 'slipway:queue:runs:prioritized';
  const before = await redis.zcard(queued);
  await pushBase(slipway, round);
  const began = performance.now();
  await waitFor(async () => (await redis.zcard(queued)) >= before + taskCount);
  const ms = performance.now() - began;
  // Whoever is told of runs is, and the campaign is put aside, before the next one.
  const { value } = (await (await slipway.request('/api/v1/campaigns?$top=1')).json()) as Campaigns;
  await slipway.request(`/api/v1/campaigns/${value[0]?.name ?? ''}/cancel`, { method: 'POST' });
  await waitFor(async () => (await redis.zcard(queued)) === 0);
  await waitFor(async () => {
    const page = (await (await slipway.request('/api/v1/campaigns?$top=1')).json()) as Campaigns;
    return page.value[0]?.properties.status === 'Canceled';
  });
  return ms;
}

async function measureBare(redis: Redis, round: number): Promise<number> {
  const queue = new Queue(`bare-${String(round)}`, { connection: redis, prefix: 'bare' });
  await queue.waitUntilReady();
  const now = Date.now();
  const place = { lane: 'patches', since: now } as const;
  const jobs = Array.from({ length: taskCount }, (_, at) => jobOf({ id: `ca${String(at + 1)}` as RunId, place }, now));
  const began = performance.now();
  await queue.addBulk(jobs);
  const ms = performance.now() - began;
  await queue.obliterate({ force: true });
  await queue.close();
  return ms;
}

async function benchQueueing(): Promise<Row> {
  const slipway = await startInstallation({
    compiled: true,
    env: { SLIPWAY_CAMPAIGN_CONCURRENCY: '1000000', SLIPWAY_LOG_LEVEL: 'warn' },
  });
  await slipway.processes.worker.stop();
  const redis = new Redis((slipway.env['REDIS_URL'] ?? '').replace('unix://', ''), { maxRetriesPerRequest: null });
  try {
    await seed(slipway);
    const figures = { ours: [] as number[], bare: [] as number[] };
    for (let round = 0; round <= rounds; round += 1) {
      const [floor, ms] = [await measureBare(redis, round), await measureOurs(slipway, redis, round)];
      if (round > 0) figures.bare.push(floor);
      if (round > 0) figures.ours.push(ms);
    }
    const [ours, floor] = [median(figures.ours), median(figures.bare)];
    const name = 'base pushed → 10,000 runs queued';
    return { name, ours, floor, ratio: ours / floor, unit: 'ms', target: '≤ 1.5 × addBulk' };
  } finally {
    redis.disconnect();
    await slipway.stop();
  }
}

/** Ten thousand images on one base, in three levels. */
function benchImpact(): Row {
  const registry = 'localhost:5080';
  const image = (name: string) => ({ registry, repository: name, tag: 'v1' });
  const at = new Date().toISOString();
  const records = Array.from({ length: taskCount }, (_, index): TaskImages => {
    const above = index < 100 ? 'base' : `app-${String(index < 1000 ? index % 100 : 100 + (index % 900))}`;
    return {
      task: `app-${String(index)}` as TaskName,
      taskVersion: 1,
      learned: { from: 'context', at },
      images: [{ image: image(`app-${String(index)}`), runtime: image(above), buildTime: [] }],
      ...{ stepImages: [], problems: [], trigger, isEnabled: true, durationMs: 60_000, failuresInRow: 0 },
    };
  });
  const graph = createImageGraph(records);
  const times = Array.from({ length: 7 }, () => {
    const began = performance.now();
    const { tasks } = findImpact(graph, [image('base')], { concurrency: 10 });
    if (tasks.length !== taskCount) throw new Error(`the impact has ${String(tasks.length)} tasks`);
    return performance.now() - began;
  });
  const text = JSON.stringify(records);
  const floors = Array.from({ length: 7 }, () => {
    const began = performance.now();
    JSON.parse(text);
    return performance.now() - began;
  });
  const [ours, floor] = [median(times), median(floors)];
  return {
    name: 'impact over 10,000 images (floor: parsing their records)',
    ours,
    floor,
    ratio: ours / floor,
    unit: 'ms',
    target: '< 100 ms',
  };
}

/** The figures of campaigns. */
export async function benchCampaign(): Promise<Row[]> {
  return [benchImpact(), await benchQueueing()];
}
