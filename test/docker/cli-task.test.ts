import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../cli/rig-api.ts';
import { commitFiles, createRepository, startGitServer, type GitServer } from '../rig/git-server.ts';
import { startInstallation, type Installation } from '../rig/installation.ts';
import { removeImages } from '../rig/quick-build.ts';

let slipway: Installation;
let server: GitServer;
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-cli-task-'));
  await createRepository(join(root, 'app'), {
    'web/Dockerfile': 'FROM busybox:latest\nARG WORD=one\nRUN echo "built $WORD"\n',
    'acb.yaml': 'version: v1.1.0\nsteps:\n  - cmd: busybox:latest echo "task says {{.Values.word}}"\n',
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

function cli(words: readonly string[]) {
  return call(words, { env: slipway.cliEnv });
}

describe('a task on the command line', () => {
  it('is made from a git repository, run, looked at, changed, timed and deleted', async () => {
    const url = `http://127.0.0.1:${String(server.port)}/app.git`;
    const build = ['-c', `${url}#main:web`, '-f', 'Dockerfile', '-t', 'cli-task/app:{{.Run.ID}}'];
    const created = await cli(['task', 'create', 'web-app', ...build]);
    expect([created.code, created.stderr]).toEqual([0, '']);
    expect(created.stdout).toContain(`yes  pushes to main of 127.0.0.1:${String(server.port)}/app`);

    const first = await cli(['task', 'run', 'web-app']);
    expect(first.stdout).toContain('built one');
    expect(first.stdout).toMatch(/Image: \S+\/cli-task\/app:ca1@sha256:/);
    expect(first.code).toBe(0);
    expect((await cli(['task', 'logs', 'web-app'])).stdout).toContain('built one');
    expect((await cli(['task', 'logs', 'web-app', '--image', 'cli-task/app:ca1'])).stdout).toContain('built one');

    expect((await cli(['task', 'update', 'web-app', '--arg', 'WORD=two'])).code).toBe(0);
    expect((await cli(['task', 'run', 'web-app'])).stdout).toContain('built two');
    expect((await cli(['task', 'run', 'web-app', '--arg', 'WORD=three'])).stdout).toContain('built three');
    const again = await cli(['runs', 'rerun', 'ca1']);
    expect([again.code, again.stdout.includes('built one')]).toEqual([0, true]);
    const listed = await cli(['runs', 'list', '--task', 'web-app', '--json']);
    expect((JSON.parse(listed.stdout) as unknown[]).length).toBe(4);

    await commitFiles(join(root, 'app'), { 'values.yaml': 'word: hello\n' });
    const task = ['-c', `${url}#main`, '-f', 'acb.yaml', '--values', 'values.yaml'];
    expect((await cli(['task', 'update', 'web-app', ...task])).code).toBe(0);
    const said = await cli(['task', 'run', 'web-app']);
    expect(said.stdout).toContain('task says hello');
    expect(said.code).toBe(0);

    const timer = await cli(['task', 'timer', 'add', 'web-app', '--schedule', '0 3 * * *']);
    expect(timer.stdout).toContain('Task web-app has the timer t1.');
    expect((await cli(['task', 'show', 'web-app'])).stdout).toContain('yes  timer t1: 0 3 * * * (UTC)');
    expect((await cli(['task', 'timer', 'remove', 'web-app', '--timer-name', 't1'])).code).toBe(0);
    expect((await cli(['task', 'run', 'web-app', '--no-logs'])).code).toBe(0);
    expect((await cli(['task', 'delete', 'web-app', '-y'])).code).toBe(0);
    expect((await cli(['task', 'run', 'web-app'])).code).toBe(3);
  }, 180_000);
});
