import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskName } from '../../src/domain/task.ts';
import { createRedisStore } from '../../src/store/redis/store.ts';
import type { Store } from '../../src/store/ports.ts';
import { aWatchingTask, commitOf, putTask, signPush, type SignedDelivery } from './deliveries.ts';
import { eventually, freePort } from './installation.ts';
import { startRedis, type PrivateRedis } from './redis.ts';

/** Sends it once; the answer's status, 0 when there was none. */
export async function post(url: string, { headers, body }: SignedDelivery): Promise<number> {
  try {
    const response = await fetch(url, { method: 'POST', headers, body });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** Sends as a forge does that tries again until it is taken. */
async function insist(url: string, delivery: SignedDelivery): Promise<void> {
  await eventually('the delivery is taken', 60_000, async () => {
    const status = await post(url, delivery);
    if (status !== 0 && status !== 503 && status !== 202) throw new Error(`answered with ${status}`);
    return status === 202 ? true : undefined;
  });
}

/** Sends all, `atOnce` at a time; `onProgress` hears how many were taken. */
export async function sendAll(
  jobs: readonly (readonly [url: string, delivery: SignedDelivery])[],
  atOnce: number,
  onProgress: (taken: number) => void,
): Promise<void> {
  let [next, taken] = [0, 0];
  const lane = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      await insist(...job);
      onProgress(++taken);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

interface Processes {
  readonly spawn: (script: string, port?: number) => ChildProcess;
  readonly stop: (child: ChildProcess, signal?: NodeJS.Signals) => Promise<void>;
}

const root = new URL('../..', import.meta.url).pathname;

function createProcesses(env: NodeJS.ProcessEnv, directory: string, isCompiled: boolean): Processes {
  return {
    spawn: (script, port = 0) => {
      const own = { ...env, SLIPWAY_DATA: join(directory, randomUUID()), SLIPWAY_PORT: String(port) };
      const words = isCompiled
        ? [join(root, 'dist', script.replace(/\.ts$/, '.js'))]
        : ['--import', 'tsx', join(root, script)];
      return spawn(process.execPath, words, { env: own, cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    },
    async stop(child, signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}

export interface DeliveryRig {
  readonly redis: PrivateRedis;
  readonly store: Store;
  readonly task: TaskName;
  /** Where the task's deliveries go, one URL for each API process. */
  readonly urls: readonly string[];
  /** Kills a trigger worker as a crash would. */
  readonly killTrigger: (index: number) => Promise<void>;
  readonly startTrigger: (index: number) => void;
  readonly stop: () => Promise<void>;
}

/** Two API processes and two trigger workers over one Redis, each a real process; the task `build-app` is there. */
export async function startDeliveryRig({ isCompiled = false } = {}): Promise<DeliveryRig> {
  const redis = await startRedis();
  const directory = await mkdtemp(join(tmpdir(), 'slipway-deliveries-'));
  const key = randomBytes(32);
  const store = await createRedisStore({ url: redis.url, clock: { now: () => Date.now() } });
  const env = { ...process.env, REDIS_URL: redis.url, SLIPWAY_KEY: key.toString('base64'), SLIPWAY_LOG_LEVEL: 'fatal' };
  const processes = createProcesses(env, directory, isCompiled);
  const { name: task } = await putTask(store, aWatchingTask(key));
  const ports = [await freePort(), await freePort()];
  const apis = ports.map((port) => processes.spawn('src/main.ts', port));
  const triggers = [0, 1].map(() => processes.spawn('workers/trigger-worker.ts'));
  const stop = async (): Promise<void> => {
    await Promise.all([...apis, ...triggers].map((child) => processes.stop(child, 'SIGKILL')));
    await store.close();
    await redis.dispose();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    for (const port of ports) {
      const look = async () => ((await fetch(`http://127.0.0.1:${port}/readyz`)).ok ? true : undefined);
      await eventually('readiness', 60_000, look);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    redis,
    store,
    task,
    urls: ports.map((port) => `http://127.0.0.1:${port}/hooks/git/${task}`),
    killTrigger: (index) => processes.stop(triggers[index] as ChildProcess, 'SIGKILL'),
    startTrigger: (index) => {
      triggers[index] = processes.spawn('workers/trigger-worker.ts');
    },
    stop,
  };
}

export interface Census {
  /** The commits of all runs, one for each run. */
  readonly commits: readonly string[];
  /** The names of all runs. */
  readonly runIds: readonly string[];
  readonly statuses: readonly string[];
  /** The runs that the deliveries say they started. */
  readonly started: readonly string[];
}

async function readAll<T>(
  page: (after?: string) => Promise<{ items: readonly T[]; next?: string | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await page(after);
    all.push(...items);
    after = next;
  } while (after !== undefined);
  return all;
}

/** What the store holds of deliveries and then of runs: a run that a delivery tells of was made before. */
export async function takeCensus({ runs, deliveries }: Store): Promise<Census> {
  const more = (after: string | undefined) => ({ limit: 500, ...(after !== undefined && { after }) });
  const kept = await readAll(async (after) => {
    const { deliveries: items, next } = await deliveries.list(more(after));
    return { items, next };
  });
  const made = await readAll(async (after) => {
    const { runs: items, next } = await runs.list({ conditions: [], ...more(after) });
    return { items, next };
  });
  return {
    commits: made.map(({ cause }) => (cause?.kind === 'source' ? (cause.commitId ?? '') : '')),
    runIds: made.map(({ runId }) => runId),
    statuses: kept.map(({ status }) => status),
    started: kept.flatMap(({ verdicts }) => verdicts.flatMap(({ runId }) => runId ?? [])),
  };
}

/**
 * Sends `count` deliveries, each `times` times, to both API processes in a mixed order. On the way a trigger worker is killed, Redis is
 * restarted, and the worker comes back. Resolves when every delivery is worked off.
 */
export async function deliverThroughFaults(rig: DeliveryRig, count: number, times: number): Promise<Census> {
  const deliveries = Array.from({ length: count }, (_, at) =>
    signPush({ commit: commitOf(`commit ${at}`), id: randomUUID() }),
  );
  const jobs = Array.from({ length: times }, (_, time) =>
    deliveries.map((delivery, at) => [rig.urls[(at + time) % 2] ?? '', delivery] as const),
  ).flat();
  // Neighbours in the list go out at the same moment: half of the repetitions stand beside their first.
  const mixed = jobs
    .map((job, at) => ({ job, place: at % 2 === 0 ? (at % count) * times : at }))
    .sort((a, b) => a.place - b.place);
  const faults: Promise<void>[] = [];
  const restartRedis = async (): Promise<void> => {
    await rig.redis.stop();
    await rig.redis.start();
    rig.startTrigger(0);
  };
  await sendAll(
    mixed.map(({ job }) => job),
    16,
    (taken) => {
      if (taken === Math.floor(jobs.length / 4)) faults.push(rig.killTrigger(0));
      if (taken === Math.floor(jobs.length / 2)) faults.push(restartRedis());
    },
  );
  await Promise.all(faults);
  return eventually('all deliveries are worked off', 90_000, async () => {
    const census = await takeCensus(rig.store);
    const isOver = census.statuses.length === count && census.statuses.every((status) => status === 'done');
    return isOver ? census : undefined;
  });
}
