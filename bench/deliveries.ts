/** Deliveries to webhooks: how many are taken in beside a handler that does nothing but queue, and how soon the first step begins. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { eventually, startInstallation, type Installation } from '../test/rig/installation.ts';
import { commitOf, repositoryUrl, signPush, type SignedDelivery } from '../test/rig/deliveries.ts';
import { deliverThroughFaults, startDeliveryRig } from '../test/rig/delivery-rig.ts';
import { median, percentile, type Row } from './table.ts';

const [atOnce, roundMs, rounds] = [32, 2000, 4];
const agent = new Agent({ keepAlive: true, maxSockets: atOnce * 2 });

/** Sends one delivery; milliseconds until the whole answer is there. */
async function send(url: string, { headers, body }: SignedDelivery): Promise<number> {
  const began = performance.now();
  const call = request(url, { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } });
  const answered = once(call, 'response');
  call.end(body);
  const [response] = (await answered) as [NodeJS.ReadableStream & { statusCode?: number }];
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 202) throw new Error(`answered with ${response.statusCode ?? 0}`);
  return performance.now() - began;
}

let number = 0;
const apiUrls = Array.from({ length: 60 }, (_, at) => [
  `thing${at}_url`,
  `https://api.github.com/repos/Acme/shop/things/number-${at}/and/more{/sha}{?page,per_page}`,
]);
/** What a forge says besides of a repository, its owner and its sender: most of a delivery. */
const besides = { fields: Object.fromEntries(apiUrls) as Readonly<Record<string, string>> };

/** About 8 KiB, as GitHub's push of one commit has. Signing is not timed: the forge does it. */
function prepare(count: number, secret?: string): SignedDelivery[] {
  return Array.from({ length: count }, () =>
    signPush({ commit: commitOf(`${(number += 1)}`), besides, ...(secret !== undefined && { secret }) }),
  );
}

/** Deliveries a second that are taken at full load. */
async function measureRate(url: string, pool: readonly SignedDelivery[]): Promise<number> {
  const began = performance.now();
  let [next, taken] = [0, 0];
  const lane = async (): Promise<void> => {
    while (performance.now() - began < roundMs) {
      const delivery = pool[next++];
      if (delivery === undefined) return;
      await send(url, delivery);
      taken += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return taken / ((performance.now() - began) / 1000);
}

/** The 99th percentile when `rate` deliveries a second are sent, whatever the answers take. Milliseconds. */
async function measureTail(url: string, rate: number, pool: readonly SignedDelivery[]): Promise<number> {
  const began = performance.now();
  const sent: Promise<number>[] = [];
  while (sent.length < pool.length && performance.now() - began < 2 * roundMs) {
    const due = Math.floor(((performance.now() - began) / 1000) * rate);
    for (const delivery of pool.slice(sent.length, due)) sent.push(send(url, delivery));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return percentile(await Promise.all(sent), 0.99);
}

async function startBare(redisUrl: string): Promise<{ url: string; child: ChildProcess }> {
  const script = fileURLToPath(new URL('bare-hook.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, redisUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${line.toString().trim()}/`, child };
}

/** Rates in turns, so that both see the same machine; the trigger workers stand still meanwhile. */
async function benchIntake(): Promise<Row[]> {
  const rig = await startDeliveryRig({ isCompiled: true });
  await Promise.all([rig.killTrigger(0), rig.killTrigger(1)]);
  const bare = await startBare(rig.redis.url);
  const url = rig.urls[0] ?? '';
  try {
    const rates = { ours: [] as number[], bare: [] as number[] };
    for (let round = 0; round <= rounds; round += 1) {
      const ours = await measureRate(url, prepare(5000));
      const floor = await measureRate(bare.url, prepare(8000));
      // The first round warms both up.
      if (round > 0) rates.ours.push(ours);
      if (round > 0) rates.bare.push(floor);
    }
    const [ours, floor] = [median(rates.ours), median(rates.bare)];
    const tail = await measureTail(url, ours / 2, prepare(Math.ceil(ours * 2)));
    const bareTail = await measureTail(bare.url, floor / 2, prepare(Math.ceil(floor * 2)));
    const rate = { name: 'deliveries taken in', unit: '1/s', target: 'ratio ≥ 0.6' };
    const late = { name: 'delivery p99 at half load', unit: 'ms', target: '< 50 ms' };
    return [
      { ...rate, ours, floor, ratio: ours / floor },
      { ...late, ours: tail, floor: bareTail, ratio: tail / bareTail },
    ];
  } finally {
    bare.child.kill();
    await rig.stop();
  }
}

/** A thousand deliveries, each three times, through a dead worker and a restarted Redis. */
async function benchFaults(): Promise<Row> {
  const rig = await startDeliveryRig({ isCompiled: true });
  try {
    const { commits } = await deliverThroughFaults(rig, 1000, 3);
    const [runs, different] = [commits.length, new Set(commits).size];
    const row = { name: 'runs of 1,000 deliveries × 3, with faults', unit: 'runs', target: '1,000, all different' };
    return { ...row, ours: runs, floor: different, ratio: runs / different };
  } finally {
    await rig.stop();
  }
}

async function createTask(slipway: Installation): Promise<{ readonly url: string; readonly secret: string }> {
  const yaml = 'version: v1.1.0\nsteps:\n  - cmd: busybox true\n';
  const step = { type: 'EncodedTask', encodedTaskContent: Buffer.from(yaml).toString('base64') };
  const sourceRepository = { sourceControlType: 'Github', repositoryUrl };
  const trigger = { sourceTriggers: [{ name: 'source', sourceRepository, sourceTriggerEvents: ['commit'] }] };
  const body = JSON.stringify({ properties: { platform: { os: 'Linux' }, step, trigger } });
  const headers = { 'content-type': 'application/json' };
  await slipway.request('/api/v1/tasks/bench-task', { method: 'PUT', body, headers });
  const setup = await slipway.request('/api/v1/tasks/bench-task/setUpWebhook', { method: 'POST' });
  return (await setup.json()) as { url: string; secret: string };
}

interface DeliveryAnswer {
  readonly properties: { readonly verdicts: readonly { readonly runId?: string }[] };
}
interface RunAnswer {
  readonly properties: { readonly status: string; readonly steps: readonly { readonly startTime?: string }[] };
}

/** Milliseconds from the delivery's being sent to its first step's start. */
async function timeFirstStep(slipway: Installation, hook: { url: string; secret: string }): Promise<number> {
  const delivery = signPush({ commit: commitOf(`first ${(number += 1)}`), secret: hook.secret });
  const began = Date.now();
  const answer = await fetch(hook.url, { method: 'POST', ...delivery });
  const { deliveryId } = (await answer.json()) as { deliveryId: string };
  const read = async <T>(path: string): Promise<T> => (await (await slipway.request(path)).json()) as T;
  const runId = await eventually('the run is made', 20_000, async () => {
    const { properties } = await read<DeliveryAnswer>(`/api/v1/webhookDeliveries/${deliveryId}`);
    return properties.verdicts[0]?.runId;
  });
  return eventually('the run ends', 30_000, async () => {
    const { properties } = await read<RunAnswer>(`/api/v1/runs/${runId}`);
    if (['Failed', 'Error', 'Timeout'].includes(properties.status)) throw new Error(`run ${runId} did not succeed`);
    const startTime = properties.steps[0]?.startTime;
    return properties.status === 'Succeeded' && startTime !== undefined ? Date.parse(startTime) - began : undefined;
  });
}

/** On an idle system with a real engine: all processes of an installation, a task of one step without a context. */
async function benchFirstStep(host: string): Promise<Row> {
  const env = { DOCKER_HOST: host, SLIPWAY_LOG_LEVEL: 'warn' };
  const slipway = await startInstallation({ compiled: true, env });
  try {
    const hook = await createTask(slipway);
    const times: number[] = [];
    for (let round = 0; round < 23; round += 1) times.push(await timeFirstStep(slipway, hook));
    const ours = median(times.slice(3));
    return { name: 'delivery → first step started', ours, floor: 0, ratio: 0, unit: 'ms', target: '< 150 ms' };
  } finally {
    await slipway.stop();
  }
}

/** Deliveries taken in, what faults do to them, and how soon their runs begin. `host` is the container engine. */
export async function benchDeliveries(host: string): Promise<Row[]> {
  const intake = await benchIntake();
  const first = await benchFirstStep(host);
  return [...intake, first, await benchFaults()];
}
