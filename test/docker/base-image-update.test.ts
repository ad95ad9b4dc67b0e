import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../cli/rig-api.ts';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { getLog, removeImages } from '../rig/quick-build.ts';
import { nodeStandIn } from '../rig/stand-ins.ts';

const docker = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const folder = 'examples/base-image-update';
let slipway: Installation;

beforeAll(async () => {
  slipway = await startInstallation();
  const { username, password } = slipway.account;
  await docker('docker', ['login', '-u', username, '-p', password, slipway.registryHost]);
}, 90_000);
afterAll(async () => {
  await removeImages(slipway);
  await slipway.stop();
}, 60_000);

function cli(...words: readonly string[]) {
  return call(words, { env: slipway.cliEnv, cwd: root });
}

/** As the example's README says it; the base of the base is one that can be had here. */
function buildBase(version: string) {
  const args = ['--build-arg', `NODE=${nodeStandIn}`, '--build-arg', `VERSION=${version}`];
  return cli('build', '-t', 'baseimages/node:20', ...args, `${folder}/base`);
}

/** What the application prints that the registry has now. */
async function greet(): Promise<unknown> {
  const image = `${slipway.registryHost}/greeting:v1`;
  await docker('docker', ['pull', '--quiet', image]);
  return JSON.parse((await docker('docker', ['run', '--rm', image, 'node', 'server.js', '--once'])).stdout);
}

interface RunView {
  readonly runId: string;
  readonly status: string;
  readonly imageUpdateTrigger?: object;
}

async function listRuns(): Promise<readonly RunView[]> {
  return JSON.parse((await cli('runs', 'list', '--task', 'greeting', '--json')).stdout) as readonly RunView[];
}

describe('the tutorial of base images', () => {
  it('builds a base, and an application on it by a task that keeps a folder of this machine', async () => {
    const base = await buildBase('1.0.0');
    expect(base.code, base.stdout + base.stderr).toBe(0);
    const step = ['-t', 'greeting:v1', '--arg', `REGISTRY=${slipway.registryHost}`];
    const created = await cli('task', 'create', 'greeting', '--context', `${folder}/app`, ...step);
    expect(created.code, created.stderr).toBe(0);
    expect(created.stderr).toContain(`oci://${slipway.registryHost}/contexts/greeting:latest`);
    const run = await cli('task', 'run', 'greeting');
    expect(run.code, run.stdout).toBe(0);
    expect(run.stdout).toContain(`context: oci ${slipway.registryHost}/contexts/greeting:latest at sha256:`);
    expect(await greet()).toMatchObject({ baseVersion: '1.0.0' });
  }, 120_000);

  it('rebuilds the application by itself when the base is pushed anew', async () => {
    expect((await buildBase('1.0.1')).code).toBe(0);
    const run = await eventually('a run for the changed base', 60_000, async () =>
      (await listRuns()).find(
        (one) => one.imageUpdateTrigger !== undefined && !/Queued|Started|Running/.test(one.status),
      ),
    );
    expect(run.status, await getLog(slipway, run.runId)).toBe('Succeeded');
    expect(await greet()).toMatchObject({ message: 'Hello from greeting', baseVersion: '1.0.1' });
    expect((await listRuns()).filter((one) => one.imageUpdateTrigger !== undefined)).toHaveLength(1);
  }, 120_000);

  it('reads the folder anew when it is sent anew', async () => {
    const updated = await cli(
      'task',
      'update',
      'greeting',
      '--context',
      `${folder}/base`,
      '--arg',
      `NODE=${nodeStandIn}`,
    );
    expect(updated.code, updated.stderr).toBe(0);
    const run = await cli('task', 'run', 'greeting');
    expect(run.code, run.stdout).toBe(0);
    const digestIn = (text: string) => / at (sha256:[0-9a-f]{12})/.exec(text)?.[1];
    const before = await getLog(slipway, (await listRuns()).at(-1)?.runId ?? '');
    expect(digestIn(run.stdout)).toMatch(/^sha256:/);
    expect(digestIn(run.stdout)).not.toBe(digestIn(before));
  }, 120_000);
});
