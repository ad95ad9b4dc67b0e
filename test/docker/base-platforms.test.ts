import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../cli/rig-api.ts';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, removeImages, schedule, upload } from '../rig/quick-build.ts';

const docker = promisify(execFile);
const imageType = 'application/vnd.docker.distribution.manifest.v2+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

interface Standing {
  readonly task: string;
  readonly base: { readonly digest?: string };
  readonly newestDigest?: string;
  readonly isCurrent?: boolean;
  readonly unchangedFor?: readonly string[];
}
interface CampaignView {
  readonly id: string;
  readonly status: string;
  readonly tasks: readonly { readonly task: string; readonly state: string; readonly because?: string }[];
}
interface Part {
  readonly digest: string;
  readonly size: number;
}

let slipway: Installation;
let folder: string;

beforeAll(async () => {
  slipway = await startInstallation();
  folder = await mkdtemp(join(tmpdir(), 'slipway-platforms-'));
  const { username, password } = slipway.account;
  await docker('docker', ['login', '-u', username, '-p', password, slipway.registryHost]);
}, 90_000);
afterAll(async () => {
  await removeImages(slipway);
  await slipway.stop();
  await rm(folder, { recursive: true });
}, 60_000);

async function cli<T>(...words: readonly string[]): Promise<T> {
  const { username, password } = slipway.account;
  const env = { SLIPWAY_SERVER: slipway.url, SLIPWAY_USERNAME: username, SLIPWAY_PASSWORD: password };
  const { code, stdout, stderr } = await call([...words, '--json'], { env, cwd: folder });
  expect(code, stdout + stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

async function put(reference: string, type: string, body: string): Promise<string> {
  const init = { method: 'PUT', body, headers: { 'content-type': type } };
  const answer = await slipway.request(`/v2/base/manifests/${reference}`, init);
  return answer.headers.get('docker-content-digest') ?? '';
}

/** Builds an image that says its version; it stands in for one of another platform as well. */
async function buildPart(version: string): Promise<Part> {
  const files = { Dockerfile: 'FROM busybox:latest\nCOPY seen /seen\n', seen: version };
  const imageNames = [`base:part-${version}`];
  const request = { sourceLocation: await upload(slipway, files), imageNames, isPushEnabled: true };
  const { runId } = (await schedule(slipway, request)).properties;
  const { status, outputImages } = (await ended(slipway, runId)).properties;
  expect(status, await getLog(slipway, runId)).toBe('Succeeded');
  const digest = outputImages?.[0]?.digest ?? '';
  const bytes = await (
    await slipway.request(`/v2/base/manifests/${digest}`, { headers: { accept: imageType } })
  ).arrayBuffer();
  return { digest, size: bytes.byteLength };
}

/** Points `base:v1` to an index of two platforms; resolves with its digest. */
function pushIndex(amd64: Part, arm64: Part): Promise<string> {
  const manifests = Object.entries({ amd64, arm64 }).map(([architecture, part]) => ({
    ...{ mediaType: imageType, ...part },
    platform: { os: 'linux', architecture },
  }));
  return put('v1', indexType, JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }));
}

/** Creates a task and runs it; what it was built on is recorded then, a moment after the run's end. */
async function createTask(name: string, from: string): Promise<void> {
  await writeFile(join(folder, 'Dockerfile'), `FROM ${from}\nCOPY Dockerfile /Dockerfile\n`);
  await cli('task', 'create', name, '--context', folder, '-t', `${name}:v1`);
  const { runId } = await cli<{ runId: string }>('task', 'run', name, '--no-wait');
  expect((await ended(slipway, runId)).properties.status, await getLog(slipway, runId)).toBe('Succeeded');
  await eventually(`what ${name} was built on`, 20_000, async () =>
    (await list()).find(({ task, base }) => task === name && base.digest !== undefined),
  );
}

const list = () => cli<readonly Standing[]>('base-image', 'list');
const campaigns = () => cli<readonly { readonly id: string }[]>('campaign', 'list');

/** Waits until an index has been looked at. */
function noticed(digest: string): Promise<readonly Standing[]> {
  return eventually('the notice of a push', 20_000, async () => {
    const lines = await list();
    return lines.length > 0 && lines.every(({ newestDigest }) => newestDigest === digest) ? lines : undefined;
  });
}

function over(id: string): Promise<CampaignView> {
  return eventually(`the end of ${id}`, 60_000, async () => {
    const found = await cli<CampaignView>('campaign', 'show', id);
    return found.status === 'Succeeded' ? found : undefined;
  });
}

describe('an index of two platforms', () => {
  const parts: Part[] = [];

  it('is what a task is built on', async () => {
    for (const version of ['1', '2', '3', '4']) parts.push(await buildPart(version));
    const [one, two] = parts as [Part, Part];
    const digest = await pushIndex(one, two);
    await createTask('web-amd64', `${slipway.registryHost}/base:v1`);
    expect(await list()).toMatchObject([{ task: 'web-amd64', base: { digest } }]);
  }, 120_000);

  it('starts nothing when it changes for the other one, and what stands on it is current', async () => {
    const [one, , three] = parts as [Part, Part, Part];
    const digest = await pushIndex(one, three);
    const lines = await noticed(digest);
    expect(lines).toMatchObject([{ task: 'web-amd64', isCurrent: true, unchangedFor: ['linux/amd64'] }]);
    expect(await campaigns()).toEqual([]);
    const name = `${slipway.registryHost}/base:v1@${digest}`;
    const impact = await cli<{ tasks: unknown; notRebuilt: unknown }>('base-image', 'impact', name);
    expect(impact).toMatchObject({ tasks: [], notRebuilt: [{ task: 'web-amd64', unchangedFor: ['linux/amd64'] }] });
  }, 60_000);

  it('rebuilds what is built for the other one alone, and says why not the rest', async () => {
    await createTask('web-arm64', `--platform=linux/arm64 ${slipway.registryHost}/base:v1`);
    const [one, , , four] = parts as [Part, Part, Part, Part];
    await noticed(await pushIndex(one, four));
    const { tasks } = await over('cp1');
    expect(tasks).toMatchObject([
      { task: 'web-amd64', state: 'skipped', because: 'unchanged for linux/amd64' },
      { task: 'web-arm64', state: 'rebuilt' },
    ]);
  }, 90_000);

  it('rebuilds the rest when it changes for that', async () => {
    const [, two, , four] = parts as [Part, Part, Part, Part];
    const digest = await pushIndex(two, four);
    await noticed(digest);
    const { tasks } = await over('cp2');
    expect(tasks).toMatchObject([
      { task: 'web-amd64', state: 'rebuilt' },
      { task: 'web-arm64', state: 'skipped', because: 'unchanged for linux/arm64' },
    ]);
    expect(await list()).toMatchObject([
      { task: 'web-amd64', isCurrent: true, newestDigest: digest },
      { task: 'web-arm64', isCurrent: true, unchangedFor: ['linux/arm64'] },
    ]);
  }, 90_000);
});
