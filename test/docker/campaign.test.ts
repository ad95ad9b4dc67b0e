import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diamond, plantTree } from '../rig/image-tree.ts';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, removeImages, schedule, upload } from '../rig/quick-build.ts';

const docker = promisify(execFile);
const tree = diamond([4, 8, 7, 1]);

interface CampaignDocument {
  readonly id: string;
  readonly properties: { readonly status: string; readonly counts: Readonly<Record<string, number>> };
}
interface RunDocument {
  readonly properties: {
    readonly runId: string;
    readonly task: string;
    readonly status: string;
    readonly startTime: string;
    readonly finishTime: string;
    readonly imageUpdateTrigger?: { readonly images: readonly { repository: string; digest: string }[] };
  };
}

let slipway: Installation;
let planted: Awaited<ReturnType<typeof plantTree>>;

beforeAll(async () => {
  slipway = await startInstallation({ env: { SLIPWAY_EGRESS_ALLOW: '127.0.0.1', SLIPWAY_CONCURRENCY: '4' } });
}, 90_000);
afterAll(async () => {
  await removeImages(slipway);
  await planted.close();
  await slipway.stop();
}, 90_000);

async function get<T>(path: string): Promise<T> {
  return (await (await slipway.request(path)).json()) as T;
}

/** Builds and pushes a base that says its version. */
async function pushBase(version: string): Promise<void> {
  const files = { Dockerfile: 'FROM busybox:latest\nCOPY seen /seen\n', seen: `${version}\n` };
  const request = { sourceLocation: await upload(slipway, files), imageNames: ['base:v1'], isPushEnabled: true };
  const { runId } = (await schedule(slipway, request)).properties;
  expect((await ended(slipway, runId)).properties.status, await getLog(slipway, runId)).toBe('Succeeded');
}

async function campaigns(): Promise<readonly CampaignDocument[]> {
  return (await get<{ value: readonly CampaignDocument[] }>('/api/v1/campaigns')).value;
}

const isOver = (status: string): boolean => ['Succeeded', 'Failed', 'Canceled'].includes(status);

/** Waits until there have been so many campaigns and all are over. */
async function allOver(count: number, ms: number): Promise<readonly CampaignDocument[]> {
  return eventually(`the end of ${String(count)} campaigns`, ms, async () => {
    const found = await campaigns();
    return found.length >= count && found.every(({ properties }) => isOver(properties.status)) ? found : undefined;
  });
}

async function patchRuns(): Promise<readonly RunDocument['properties'][]> {
  const { value } = await get<{ value: readonly RunDocument[] }>('/api/v1/runs?$top=1000');
  return value.map(({ properties }) => properties).filter((run) => run.imageUpdateTrigger !== undefined);
}

/** Waits until so many images are rebuilt. */
async function rebuilt(count: number): Promise<void> {
  await eventually(`${String(count)} images that are rebuilt`, 60_000, async () => {
    const done = (await patchRuns()).filter(({ status }) => status === 'Succeeded');
    return done.length >= count ? done : undefined;
  });
}

/** What an image says that it saw of the base's versions. */
async function seenBy(name: string): Promise<string> {
  const image = `${slipway.registryHost}/${name}:v1`;
  await docker('docker', ['pull', '--quiet', image]);
  return (await docker('docker', ['run', '--rm', '--network', 'none', image, 'cat', '/seen'])).stdout.trim();
}

describe('a base of twenty images in four levels', () => {
  it('is known to carry all of them before any of their tasks has run', async () => {
    const { username, password } = slipway.account;
    await docker('docker', ['login', '-u', username, '-p', password, slipway.registryHost]);
    await pushBase('one');
    planted = await plantTree(slipway, tree);
    const impact = await eventually('the impact of the base', 60_000, async () => {
      const image = `${slipway.registryHost}/base:v1`;
      const found = await get<{ tasks: readonly object[] }>(
        `/api/v1/baseImages/impact?image=${encodeURIComponent(image)}`,
      );
      return found.tasks.length === tree.length ? found : undefined;
    });
    expect(impact.tasks).toHaveLength(20);
  }, 120_000);

  it('has all of them rebuilt once, in order and on what is new, though a worker and a trigger worker, and then API and registry, are killed', async () => {
    await pushBase('two');
    await rebuilt(4);
    await Promise.all([slipway.processes.trigger.stop('SIGKILL'), slipway.processes.worker.stop('SIGKILL')]);
    await Promise.all([slipway.processes.trigger.start(), slipway.processes.worker.start()]);
    await rebuilt(8);
    await slipway.processes.api.stop('SIGKILL');
    await slipway.processes.api.start();
    const [campaign, ...others] = await allOver(1, 240_000);
    expect(others).toEqual([]);
    expect(campaign?.properties).toMatchObject({ status: 'Succeeded', counts: { rebuilt: 20 } });
    const runs = await patchRuns();
    expect(runs.map(({ task }) => task).sort()).toEqual(tree.map(({ name }) => name).sort());
    const byTask = new Map(runs.map((run) => [run.task, run]));
    for (const { name, on } of tree) {
      for (const parent of on.filter((one) => one !== 'base')) {
        const [child, above] = [byTask.get(name), byTask.get(parent)];
        expect(Date.parse(child?.startTime ?? '')).toBeGreaterThanOrEqual(Date.parse(above?.finishTime ?? ''));
      }
    }
    for (const { name } of tree) expect(await seenBy(name), name).toBe('two');
  }, 360_000);

  it('starts nothing when the same base is pushed again', async () => {
    const before = (await patchRuns()).length;
    await pushBase('two');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(await campaigns()).toHaveLength(1);
    expect(await patchRuns()).toHaveLength(before);
  }, 90_000);
});
