import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../cli/rig-api.ts';
import { createRepository, startGitServer, type GitServer } from '../rig/git-server.ts';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { removeImages } from '../rig/quick-build.ts';

let slipway: Installation;
let server: GitServer;
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-learn-'));
  await createRepository(join(root, 'app'), {
    'base/Dockerfile': 'FROM busybox:latest\nRUN echo one > /one\n',
    'web/Dockerfile':
      'ARG BASE\nFROM busybox:latest AS tool\nRUN echo two > /two\nFROM $BASE\nCOPY --from=tool /two /two\n',
  });
  server = await startGitServer({ root });
  slipway = await startInstallation({ env: { SLIPWAY_EGRESS_ALLOW: '127.0.0.1' } });
}, 60_000);
afterAll(async () => {
  await removeImages(slipway);
  await slipway.stop();
  await server.close();
  await rm(root, { recursive: true, force: true });
}, 60_000);

async function cli(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await call(words, { env: slipway.cliEnv });
  expect([code, stderr], stdout).toEqual([0, '']);
  return stdout;
}

describe('what a task’s images stand on', () => {
  it('is shown when the task is made, before any run, and by digest after one', async () => {
    const context = `http://127.0.0.1:${String(server.port)}/app.git#main`;
    const base = `${new URL(slipway.url).host}/learn/base:1`;
    const made = await cli(
      'task',
      'create',
      'base-image',
      '-c',
      `${context}:base`,
      '-f',
      'Dockerfile',
      '-t',
      'learn/base:1',
    );
    expect(made).toContain('yes  base image docker.io/library/busybox:latest (by asking its registry every 15 min');
    await cli('task', 'run', 'base-image');

    const app = ['-c', `${context}:web`, '-f', 'Dockerfile', '-t', 'learn/app:1', '--arg', `BASE=${base}`];
    const shown = await cli('task', 'create', 'web-app', ...app);
    expect(shown).toContain(`yes  base image ${base} (by each push to this registry)`);
    expect(shown).toContain('no   base image docker.io/library/busybox:latest (the task is only built with it');

    await cli('task', 'run', 'web-app');
    const after = await eventually('the run is recorded', 20_000, async () => {
      const text = await cli('task', 'show', 'web-app');
      return text.includes('; built on sha256:') ? text : undefined;
    });
    expect(after).toMatch(
      new RegExp(`yes  base image ${base} \\(by each push to this registry; built on sha256:\\w{12}\\)`),
    );

    const task = JSON.parse(await cli('task', 'show', 'web-app', '--json')) as {
      properties: { step: { baseImageDependencies: readonly { type: string; repository: string; digest?: string }[] } };
    };
    const [first] = task.properties.step.baseImageDependencies;
    expect(first).toMatchObject({ type: 'RunTime', repository: 'learn/base', tag: '1' });
    expect(first?.digest).toMatch(/^sha256:/);
  }, 180_000);
});
