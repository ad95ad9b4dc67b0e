/** How soon after a push was acknowledged the trigger's job is in its queue: `npm run bench -- registry-events`. */
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { Queue, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import type { RegistryEvent } from '../src/domain/event.ts';
import { eventually, startInstallation, type Installation } from '../test/rig/installation.ts';
import { percentile, type Row } from './table.ts';

/*
 * Both moments are of the host's one clock: when the answer 201 has arrived here, and when Redis ran the script that added the job, which
 * the id of the queue's `added` entry says to the millisecond. The job's own timestamp would be too early, since BullMQ takes it before it
 * asks Redis at all; the moment at which a listener hears of it would be too late by what this process, busy with pushing, takes to listen
 * (tens of milliseconds at p99 on a busy machine). A job that was there before the answer counts as 0 ms.
 * The floor is BullMQ's `add` alone: this process adds a job like ours to a queue of its own at the moment of each answer, so that
 * whatever holds up Redis (it writes its file as an installation's does) holds up both.
 */

const [pushes, warmUp, clients] = [2000, 200, 4];
const prefix = 'slipway:queue';
const [queueName, bareName] = ['registry-events', 'bench-events'];
const imageType = 'application/vnd.oci.image.manifest.v1+json';

/** Runs it with real processes, compiled: API, trigger worker, Redis. Figures in milliseconds. */
export async function benchRegistryEvents(): Promise<Row[]> {
  const slipway = await startInstallation({ compiled: true, env: { SLIPWAY_LOG_LEVEL: 'warn' } });
  try {
    await slipway.processes.worker.stop(); // it has no part in this
    const { ours, floor } = await measure(slipway);
    const row = (name: string, part: number, target = ''): Row => {
      const [mine, bare] = [percentile(ours, part), percentile(floor, part)];
      const ratio = mine / bare;
      return {
        name: `registry: push acknowledged → job queued, ${name}`,
        ours: mine,
        floor: bare,
        ratio,
        unit: 'ms',
        target,
      };
    };
    return [row('p50', 0.5), row('p99', 0.99, '< 10 ms'), row('greatest', 1)];
  } finally {
    await slipway.stop();
  }
}

interface Figures {
  readonly ours: readonly number[];
  readonly floor: readonly number[];
}

async function measure(slipway: Installation): Promise<Figures> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const connection = connectTo(slipway);
  const bare = new Queue<Partial<RegistryEvent>>(bareName, { connection, prefix });
  const watches = [await watchQueue(slipway, queueName), await watchQueue(slipway, bareName)] as const;
  try {
    const registry = createClient(slipway, agent);
    await registry.pushConfig();
    const acknowledged = new Map<string, number>();
    const adding: Promise<unknown>[] = [];
    await atOnce(warmUp + pushes, async (at) => {
      const tag = `t${String(at)}`;
      await registry.pushManifest(tag);
      acknowledged.set(tag, Date.now());
      adding.push(addBare(bare, tag));
    });
    await Promise.all(adding);
    const [ours = [], floor = []] = await Promise.all(watches.map((watch) => watch.waitsSince(acknowledged)));
    return { ours, floor };
  } finally {
    agent.destroy();
    await Promise.all([...watches, bare].map((each) => each.close()));
    connection.disconnect();
  }
}

/** A job as ours are. */
async function addBare(queue: Queue<Partial<RegistryEvent>>, tag: string): Promise<void> {
  const event = {
    id: tag,
    kind: 'push',
    repository: 'bench',
    tag,
    digest: 'sha256:0',
    mediaType: imageType,
    size: 800,
  };
  const backoff = { type: 'exponential', delay: 1000 };
  await queue.add('event', event as object, { jobId: `event-${tag}`, attempts: 8, backoff });
}

async function atOnce(count: number, act: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await act(at);
  };
  await Promise.all(Array.from({ length: clients }, lane));
}

function connectTo({ env }: Installation): Redis {
  return new Redis((env['REDIS_URL'] ?? '').replace('unix://', ''), { maxRetriesPerRequest: null });
}

interface QueueWatch {
  /** How long after the given times the jobs of those tags were added, without the first ones; waits until all were. */
  waitsSince(times: ReadonlyMap<string, number>): Promise<number[]>;
  close(): Promise<void>;
}

async function watchQueue(slipway: Installation, name: string): Promise<QueueWatch> {
  const connections = [connectTo(slipway), connectTo(slipway)] as const;
  const queue = new Queue<RegistryEvent>(name, { connection: connections[0], prefix });
  const events = new QueueEvents(name, { connection: connections[1], prefix, lastEventId: '0' });
  const added = new Map<string, number>();
  events.on('added', ({ jobId }, id) => void added.set(jobId, Number(id.split('-', 1)[0])));
  await events.waitUntilReady();
  return {
    async waitsSince(times) {
      await eventually(`${String(times.size)} jobs in ${name}`, 10_000, () =>
        Promise.resolve(added.size >= times.size || undefined),
      );
      const waits: number[] = [];
      for (const [id, at] of added) {
        const event = (await queue.getJob(id))?.data;
        const since = event?.kind === 'push' ? times.get(event.tag ?? '') : undefined;
        if (since !== undefined) waits.push(Math.max(0, at - since));
      }
      return waits.slice(warmUp);
    },
    async close() {
      await Promise.all([events.close(), queue.close()]);
      for (const connection of connections) connection.disconnect();
    },
  };
}

interface Client {
  pushConfig(): Promise<void>;
  /** A manifest that nobody has seen, under a tag. */
  pushManifest(tag: string): Promise<void>;
}

function createClient({ url, account }: Installation, agent: Agent): Client {
  const authorization = `Basic ${Buffer.from(`${account.username}:${account.password}`).toString('base64')}`;
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
  const send = (method: string, path: string, body: Buffer, type: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const headers = { authorization, 'content-type': type, 'content-length': String(body.length) };
      const sent = request(`${url}/v2/bench/${path}`, { agent, method, headers }, (answer) => {
        answer.resume();
        answer.on('error', reject);
        answer.on('end', () => {
          if (answer.statusCode === 201) resolve();
          else reject(new Error(`${method} ${path}: ${String(answer.statusCode)}`));
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return {
    pushConfig: () => send('POST', `blobs/uploads/?digest=${digest}`, config, 'application/octet-stream'),
    pushManifest(tag) {
      const described = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: config.length };
      const annotations = { fresh: randomBytes(16).toString('hex'), padding: 'x'.repeat(400) };
      const manifest = { schemaVersion: 2, mediaType: imageType, config: described, layers: [], annotations };
      return send('PUT', `manifests/${tag}`, Buffer.from(JSON.stringify(manifest)), imageType);
    },
  };
}
