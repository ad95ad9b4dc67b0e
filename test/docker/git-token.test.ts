import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../cli/rig-api.ts';
import { createCertificate, createRepository, startGitServer, type GitServer } from '../rig/git-server.ts';
import { startInstallation, type Installation } from '../rig/installation.ts';
import { removeImages } from '../rig/quick-build.ts';

const [first, second] = ['a-first-token-of-the-forge', 'a-second-token-of-the-forge'];

let root: string;
let slipway: Installation;
let server: GitServer;
/** What the server takes may change while it runs. */
let forge: { root: string; token: string; tls: { key: string; cert: string } };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-git-token-'));
  await createRepository(join(root, 'app'), {
    'web/Dockerfile': 'FROM busybox:latest\nCOPY word /word\nRUN echo "built $(cat /word)"\n',
    'web/word': 'in private\n',
  });
  const { key, cert, caFile } = await createCertificate(root, 'localhost');
  forge = { root, token: first, tls: { key, cert } };
  server = await startGitServer(forge);
  slipway = await startInstallation({
    env: { SLIPWAY_EGRESS_ALLOW: 'localhost,127.0.0.1', SLIPWAY_GIT_CA_FILE: caFile },
  });
}, 60_000);
afterAll(async () => {
  await removeImages(slipway);
  await slipway.stop();
  await server.close();
  await rm(root, { recursive: true, force: true });
}, 60_000);

/** The command on the machine of the installation, which finds data directory and Redis in its environment. */
async function cli(words: readonly string[], stdin?: string) {
  const env = { ...slipway.env, ...slipway.cliEnv };
  const answer = await call(words, { env, ...(stdin !== undefined && { stdin }) });
  expect(answer.stdout + answer.stderr).not.toMatch(/token-of-the-forge/);
  return answer;
}

async function run(): Promise<{ readonly code: number; readonly log: string }> {
  const { code, stdout, stderr } = await cli(['task', 'run', 'web-app']);
  return { code, log: stdout + stderr };
}

const built = { code: 0, log: expect.stringContaining('was successful') as string };

describe('a private repository', () => {
  it('is built with the token that the task was made with, and with a new one after an update', async () => {
    const context = `https://localhost:${String(server.port)}/app.git#main:web`;
    const task = ['task', 'create', 'web-app', '-c', context, '-f', 'Dockerfile', '-t', 'git-token/app:{{.Run.ID}}'];

    expect((await cli(task)).code).toBe(0);
    expect((await run()).code).toBe(1);

    const created = await cli([...task, '--git-access-token', '-'], `${first}\n`);
    expect([created.code, created.stdout.split('\n')[0]]).toEqual([0, 'Task web-app is replaced.']);
    expect(await run()).toMatchObject(built);
    const passwords = server.requests.flatMap(({ authorization }) =>
      authorization === undefined ? [] : [Buffer.from(authorization.slice('Basic '.length), 'base64').toString()],
    );
    expect(passwords.some((one) => one.endsWith(`:${first}`))).toBe(true);

    forge.token = second;
    const refused = await run();
    expect(refused.code).toBe(1);
    expect(refused.log).toContain('it does not exist, or needs a token or key that may read it');

    expect((await cli(['task', 'update', 'web-app', '--git-access-token', '-'], second)).code).toBe(0);
    expect(await run()).toMatchObject(built);
    expect((await cli(['task', 'show', 'web-app'])).code).toBe(0);
  }, 120_000);

  it('is built by the same processes after the installation’s key was changed', async () => {
    const file = join(slipway.dataDir, 'key');
    const before = await readFile(file, 'utf8');
    const rotated = await cli(['key', 'rotate']);
    expect([rotated.code, rotated.stdout]).toEqual([
      0,
      expect.stringMatching(
        /^Key [0-9a-f]{8} seals: 1 value is sealed with it, 1 of them anew\.\nThe older key still opens/,
      ),
    ]);
    expect(await run()).toMatchObject(built);
    expect((await cli(['key', 'show'])).stdout).toMatch(/^Key [0-9a-f]{8} still opens\.$/m);

    const finished = await cli(['key', 'rotate', '--finish']);
    expect([finished.code, finished.stdout]).toEqual([0, expect.stringContaining('There is no other key.')]);
    expect(await readFile(file, 'utf8')).not.toContain(before.trim());
    expect(await run()).toMatchObject(built);
    const shown = await cli(['key', 'show', '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ source: 'file', sealed: { old: 0, damaged: [] } });
  }, 120_000);

  it('asks for no key where there is none to change', async () => {
    const empty = await mkdtemp(join(root, 'empty-'));
    const { code, stderr } = await call(['key', 'rotate'], { env: { ...slipway.env, SLIPWAY_DATA: empty } });
    expect([code, stderr]).toEqual([3, expect.stringContaining('there is no key in')]);
  });
});
