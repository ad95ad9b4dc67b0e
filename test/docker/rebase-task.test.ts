import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../cli/rig-api.ts';
import { line } from '../rebase/rig.ts';
import { commitFiles, createRepository, removeTree, startGitServer } from '../rig/git-server.ts';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, removeImages, schedule, upload, type RunDocument } from '../rig/quick-build.ts';

const taskYaml = [
  'version: v1.1.0',
  'steps:',
  '  - build: -t $Registry/app:v1 --build-arg REGISTRY=$Registry .',
  '  - cmd: $Registry/app:v1 cat /version /app/a',
  '  - push: ["$Registry/app:v1"]',
].join('\n');
const dockerfile = 'ARG REGISTRY\nFROM $REGISTRY/base:1\nWORKDIR /app\nCOPY a ./\n';

let root: string;
let forge: Awaited<ReturnType<typeof startGitServer>>;
let slipway: Installation;

type Properties = RunDocument['properties'] & { readonly imageUpdateTrigger?: object };

async function createTask(): Promise<void> {
  const contextPath = `http://127.0.0.1:${forge.port}/app.git#main`;
  const step = { type: 'FileTask', contextPath, taskFilePath: 'task.yaml' };
  const baseImageTrigger = { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled', strategy: 'auto' };
  const body = JSON.stringify({ properties: { platform: { os: 'Linux' }, step, trigger: { baseImageTrigger } } });
  const headers = { 'content-type': 'application/json' };
  await slipway.request('/api/v1/tasks/build-app', { method: 'PUT', body, headers });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-rebase-task-'));
  await createRepository(join(root, 'app'), { Dockerfile: dockerfile, 'task.yaml': taskYaml, a: 'first\n' });
  forge = await startGitServer({ root });
  slipway = await startInstallation({ env: { SLIPWAY_EGRESS_ALLOW: '127.0.0.1' } });
}, 90_000);

afterAll(async () => {
  await removeImages(slipway);
  await Promise.all([slipway.stop(), forge.close()]);
  await removeTree(root);
}, 60_000);

async function pushBase(version: string, name = 'base:1'): Promise<void> {
  const files = { Dockerfile: `FROM busybox\n${line}\nRUN echo base ${version} > /version\n` };
  const { properties } = await schedule(slipway, {
    sourceLocation: await upload(slipway, files),
    ...{ imageNames: [name], isPushEnabled: true },
  });
  const run = await ended(slipway, properties.runId);
  expect(run.properties.status).toBe('Succeeded');
}

async function runTask(): Promise<void> {
  const body = JSON.stringify({ type: 'TaskRunRequest', taskId: 'build-app' });
  const headers = { 'content-type': 'application/json' };
  const answer = await slipway.request('/api/v1/scheduleRun', { method: 'POST', body, headers });
  const { properties } = (await answer.json()) as RunDocument;
  const run = await ended(slipway, properties.runId);
  expect(run.properties.status, await getLog(slipway, properties.runId)).toBe('Succeeded');
}

/** The n-th run that a changed base has set off, when it is the latest. */
async function patchRun(number: number): Promise<{ readonly run: Properties; readonly log: string }> {
  const found = await eventually(`patch run ${number}`, 60_000, async () => {
    const answer = await (await slipway.request('/api/v1/runs')).json();
    const runs = (answer as { value: { properties: Properties }[] }).value.map(({ properties }) => properties);
    const patches = runs.filter(({ imageUpdateTrigger }) => imageUpdateTrigger !== undefined);
    return patches.length < number ? undefined : patches[0];
  });
  const run = (await ended(slipway, found.runId)).properties;
  return { run, log: await getLog(slipway, found.runId) };
}

describe('a task whose trigger has the strategy "auto"', () => {
  it('is put on a new base without a build, tested, and built when its files have changed', async () => {
    await pushBase('one');
    await createTask();
    await runTask();

    await pushBase('two');
    const rebased = await patchRun(1);
    expect(rebased.run.status, rebased.log).toBe('Succeeded');
    expect(rebased.log).toContain('no build');
    expect(rebased.log).toContain('base two\nfirst\n');

    await pushBase('three');
    const again = await patchRun(2);
    expect(again.log).toContain('no build');
    expect(again.log).toContain('base three\nfirst\n');

    await commitFiles(join(root, 'app'), { a: 'second\n' });
    await pushBase('four');
    const built = await patchRun(3);
    expect(built.run.status, built.log).toBe('Succeeded');
    expect(built.log).toMatch(/not rebased: its context has moved on from [0-9a-f]{12} to [0-9a-f]{12}; building/);
    expect(built.log).toContain('base four\nsecond\n');
  }, 180_000);

  it('is put on a new base as long as the folder that was sent with it is the same', async () => {
    const folder = join(root, 'packed');
    const send = async (verb: string, content: string, ...more: readonly string[]): Promise<void> => {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'Dockerfile'), 'ARG REGISTRY\nFROM $REGISTRY/packed-base:1\nCOPY a /app/a\n');
      await writeFile(join(folder, 'a'), content);
      const sent = await call(['task', verb, 'packed', '--context', folder, ...more], {
        env: slipway.cliEnv,
        cwd: root,
      });
      expect(sent.code, sent.stderr).toBe(0);
    };
    const step = ['-t', 'packed:v1', '--arg', `REGISTRY=${slipway.registryHost}`];
    await pushBase('one', 'packed-base:1');
    await send('create', 'first', ...step, '--base-image-trigger-strategy', 'auto');
    const ran = await call(['task', 'run', 'packed'], { env: slipway.cliEnv, cwd: root });
    expect(ran.code, ran.stdout).toBe(0);

    await pushBase('two', 'packed-base:1');
    const rebased = await patchRun(4);
    expect(rebased.run.status, rebased.log).toBe('Succeeded');
    expect(rebased.log).toContain('no build');

    await send('update', 'second');
    await pushBase('three', 'packed-base:1');
    const built = await patchRun(5);
    expect(built.run.status, built.log).toBe('Succeeded');
    expect(built.log).toMatch(/not rebased: .*; building/);
  }, 120_000);
});
