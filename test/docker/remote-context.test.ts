import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarOf } from '../rig/contexts.ts';
import { createRepository, startGitServer, type GitServer } from '../rig/git-server.ts';
import { startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, removeImages, schedule } from '../rig/quick-build.ts';
import { nodeStandIn } from '../rig/stand-ins.ts';

const run = promisify(execFile);
const example = new URL('../../examples/hello-node/', import.meta.url);
let root: string;
let commit: string;
let git: GitServer;
let files: Server;
let slipway: Installation;

async function readExample(folder: string): Promise<Record<string, string>> {
  const names = await readdir(example);
  const texts = await Promise.all(
    names.map(async (name) => [`${folder}${name}`, await readFile(new URL(name, example), 'utf8')]),
  );
  return Object.fromEntries(texts) as Record<string, string>;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-remote-'));
  commit = await createRepository(join(root, 'hello'), {
    ...(await readExample('app/')),
    'app/.dockerignore': 'ignored\n',
    'app/ignored': 'must not get into the image',
    'app/Dockerfile.list': 'FROM busybox:latest\nCOPY . /c\nRUN ls /c\n',
  });
  git = await startGitServer({ root });
  const archive = gzipSync(await tarOf({ Dockerfile: 'FROM busybox:latest\nCOPY x /x\n', x: 'x' }));
  files = createServer((request, response) => {
    response.end(request.url === '/context.tar.gz' ? archive : 'this is no archive');
  }).listen(0, '127.0.0.1');
  slipway = await startInstallation({ env: { SLIPWAY_EGRESS_ALLOW: '127.0.0.1' } });
}, 60_000);

afterAll(async () => {
  await removeImages(slipway);
  await Promise.all([slipway.stop(), git.close(), new Promise((resolve) => files.close(resolve))]);
  await rm(root, { recursive: true, force: true });
}, 60_000);

describe('a build from git', () => {
  it('of a real Node application becomes an image that docker pulls and runs', async () => {
    const sourceLocation = `http://127.0.0.1:${git.port}/hello.git#main:app`;
    const args = [
      { name: 'BASE', value: nodeStandIn },
      { name: 'VERSION', value: '4.5.6' },
    ];
    const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['hello-node:v1'], arguments: args }))
      .properties;
    const done = (await ended(slipway, runId)).properties;
    expect(done, await getLog(slipway, runId)).toMatchObject({ status: 'Succeeded' });
    const image = `${slipway.registryHost}/hello-node@${done.outputImages?.[0]?.digest ?? ''}`;
    const config = await mkdtemp(join(root, 'docker-'));
    const docker = (...words: string[]) => run('docker', ['--config', config, ...words]);
    const { username, password } = slipway.account;
    await docker('login', '-u', username, '-p', password, slipway.registryHost);
    await docker('rmi', '-f', `${slipway.registryHost}/hello-node:v1`);
    await docker('pull', image);
    const print = 'process.stdout.write(`${process.env.APP_VERSION} ${require("/app/package.json").name}`)';
    expect((await docker('run', '--rm', '--network', 'none', image, 'node', '-e', print)).stdout).toBe(
      '4.5.6 hello-node',
    );
    await docker('rmi', '-f', image);
  }, 90_000);

  it('says which commit it built, and honours .dockerignore', async () => {
    const sourceLocation = `http://127.0.0.1:${git.port}/hello.git#${commit}:app`;
    const change = { sourceLocation, imageNames: [], dockerFilePath: 'Dockerfile.list', noCache: true };
    const { runId } = (await schedule(slipway, change)).properties;
    expect((await ended(slipway, runId)).properties.status).toBe('Succeeded');
    const log = await getLog(slipway, runId);
    expect(log).toContain(commit);
    expect(log).toContain('server.js');
    expect(log).not.toContain('ignored');
  }, 60_000);

  it.each([
    ['a branch that is not there', 'hello.git#nosuch', /nosuch/],
    ['a folder that is not there', 'hello.git#main:nosuch', /nosuch/],
    ['a repository that is not there', 'nosuch.git', /nosuch\.git/],
  ])(
    'fails on %s with an error that names it',
    async (_, path, expected) => {
      const sourceLocation = `http://127.0.0.1:${git.port}/${path}`;
      const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['bad'] })).properties;
      const { status, runErrorMessage } = (await ended(slipway, runId)).properties;
      expect(status).toBe('Failed');
      expect(runErrorMessage).toMatch(expected);
    },
    60_000,
  );

  it.each([
    ['a file path', '/etc/repo.git'],
    ['a file URL', 'file:///etc/repo.git'],
    ['an option', '--upload-pack=touch /tmp/x'],
    ['a ref that is an option', 'https://git.example.com/a.git#--upload-pack=x'],
  ])('is refused at once for %s, naming the field', async (_, sourceLocation) => {
    await expect(schedule(slipway, { sourceLocation, imageNames: ['bad'] })).rejects.toThrow(/400.*sourceLocation/s);
  });

  it('is refused for a private address that the operator has not allowed', async () => {
    const sourceLocation = 'http://127.0.0.2:9/hello.git';
    const { runId } = (await schedule(slipway, { sourceLocation, imageNames: ['bad'] })).properties;
    const { status, runErrorMessage } = (await ended(slipway, runId)).properties;
    expect(status).toBe('Failed');
    expect(runErrorMessage).toMatch(/private|loopback|may not be reached|SLIPWAY_EGRESS_ALLOW/i);
  }, 60_000);
});

describe('a build from a tarball URL', () => {
  const base = (): string => `http://127.0.0.1:${(files.address() as AddressInfo).port}`;

  it('succeeds', async () => {
    const change = { sourceLocation: `${base()}/context.tar.gz`, imageNames: ['tarball'] };
    const { runId } = (await schedule(slipway, change)).properties;
    expect((await ended(slipway, runId)).properties, await getLog(slipway, runId)).toMatchObject({
      status: 'Succeeded',
    });
  }, 60_000);

  it('fails when what lies there is no archive', async () => {
    const change = { sourceLocation: `${base()}/page.tar.gz`, imageNames: ['tarball'] };
    const { runId } = (await schedule(slipway, change)).properties;
    const { status, runErrorMessage } = (await ended(slipway, runId)).properties;
    expect(status).toBe('Failed');
    expect(runErrorMessage).toMatch(/neither a tar nor/);
  }, 60_000);
});

it('leaves nothing in the worker’s directory', async () => {
  expect(await readdir(join(slipway.dataDir, 'work'))).toEqual([]);
});
