import { chmod, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createEgress } from '../../src/egress/egress.ts';
import type { Lookup } from '../../src/egress/ports.ts';
import { openGitContext, type GitContextOptions } from '../../src/source/git.ts';
import { parseSourceLocation, type GitLocation } from '../../src/source/location.ts';
import type { Context } from '../../src/source/ports.ts';
import {
  commitFiles,
  createCertificate,
  createRepository,
  git,
  removeTree,
  startGitServer,
  type GitServer,
  type GitServerOptions,
} from '../rig/git-server.ts';
import { filesOf, testLimits } from '../source/tar-rig.ts';

/** The name stands for loopback to Slipway alone: git reaches it only if it uses the address that was checked. */
const lookup: Lookup = async () => [{ address: '127.0.0.1', family: 4 }];
let base = '';
let temp = '';
let commits: { first: string; second: string; feature: string };
const servers: GitServer[] = [];
const contexts: Context[] = [];

beforeAll(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'git-test-'));
  temp = path.join(base, 'temp');
  await mkdir(temp);
  const app = path.join(base, 'repos/app');
  const first = await createRepository(app, { Dockerfile: 'FROM one', 'web/Dockerfile': 'FROM web', 'web/i.html': '' });
  await git(app, 'tag', '--annotate', 'v1', '--message', 'v1');
  const second = await commitFiles(app, { Dockerfile: 'FROM two', '.dockerignore': 'notes', notes: 'x' });
  await git(app, 'update-ref', 'refs/pull/7/head', first);
  await git(app, 'checkout', '--quiet', '-b', 'feature/x');
  const feature = await commitFiles(app, { Dockerfile: 'FROM feature' });
  await git(app, 'checkout', '--quiet', 'main');
  await symlink('/etc', path.join(app, 'outside'));
  await commitFiles(app, {});
  commits = { first, second, feature };
}, 30_000);

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.dispose();
  for (const server of servers.splice(0)) await server.close();
  expect(await readdir(temp), 'something was left behind').toEqual([]);
});

afterAll(async () => {
  await removeTree(base);
});

async function serve(options: Partial<GitServerOptions> = {}): Promise<GitServer> {
  servers.push(await startGitServer({ root: path.join(base, 'repos'), ...options }));
  return servers.at(-1) as GitServer;
}

async function open(location: string | GitLocation, options: Partial<GitContextOptions> = {}): Promise<Context> {
  const parsed = typeof location === 'string' ? parseSourceLocation(location) : location;
  if (parsed.kind !== 'git') throw new Error('no git location');
  const egress = createEgress({ allow: ['git.test'], lookup });
  const context = await openGitContext(parsed, { egress, tempRoot: temp, limits: testLimits, ...options });
  contexts.push(context);
  return context;
}

function urlOf(server: GitServer, rest = 'app.git'): string {
  return `http://git.test:${String(server.port)}/${rest}`;
}

describe('openGitContext over http', () => {
  it('gives the commit of the default branch', async () => {
    const context = await open(urlOf(await serve()));
    expect(context.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(context.description).toContain(`at ${(context.commit ?? '').slice(0, 12)}`);
  });

  it.each([
    ['feature/x', 'FROM feature', 'feature'],
    ['v1', 'FROM one', 'first'],
    ['pull/7/head', 'FROM one', 'first'],
    ['refs/heads/feature/x', 'FROM feature', 'feature'],
  ] as const)('checks out %s', async (ref, content, commit) => {
    const context = await open(`${urlOf(await serve())}#${ref}`);
    expect((await filesOf(context))['Dockerfile']).toBe(content);
    expect(context.commit).toBe(commits[commit]);
  });

  it('checks out a commit that is no tip, by its full and by its short id', async () => {
    const server = await serve();
    for (const id of [commits.first, commits.first.slice(0, 10)]) {
      const context = await open(`${urlOf(server)}#${id}`);
      expect(context.commit).toBe(commits.first);
      expect((await filesOf(context))['Dockerfile']).toBe('FROM one');
    }
  });

  it('fetches a single commit where the server can', async () => {
    const server = await serve();
    await open(`${urlOf(server)}#feature/x`);
    const [clone = ''] = await readdir(temp);
    expect(await git(path.join(temp, clone, 'tree'), 'rev-list', '--count', 'HEAD')).toBe('1');
  });

  it('takes a folder as the context', async () => {
    const context = await open(`${urlOf(await serve())}#main:web`, { dockerfile: 'Dockerfile' });
    expect(await filesOf(context)).toEqual({ Dockerfile: 'FROM web', 'i.html': '' });
  });

  it('can be opened twice and disposed of twice', async () => {
    const context = await open(urlOf(await serve()));
    expect(await filesOf(context)).toEqual(await filesOf(context));
    await context.dispose();
    await context.dispose();
  });

  it('honours .dockerignore where an image is built from it, and only there', async () => {
    const context = await open(urlOf(await serve()));
    const build = { open: () => context.openForBuild?.(undefined) ?? Promise.reject(new Error('cannot filter')) };
    expect(Object.keys(await filesOf({ ...context, ...build }))).not.toContain('notes');
    expect(Object.keys(await filesOf(context))).toContain('notes');
  });

  it('says that the Dockerfile is missing', async () => {
    await expect(open(urlOf(await serve()), { dockerfile: 'nope' })).rejects.toMatchObject({
      failure: { reason: 'invalid-request', field: 'dockerFilePath' },
    });
  });

  it.each([
    ['app.git#main:nope', 'invalid-request', 'does not exist in the repository'],
    ['app.git#main:Dockerfile', 'invalid-request', 'is no directory'],
    ['app.git#main:outside', 'invalid-request', 'leads out of the repository'],
    ['app.git#no-such-branch', 'source-unavailable', "at no-such-branch: couldn't find remote ref"],
    ['app.git#deadbeef00', 'source-unavailable', 'has no deadbeef00'],
    ['nothing.git', 'source-unavailable', 'nothing.git'],
  ])('refuses %s and leaves nothing behind', async (rest, reason, words) => {
    await expect(open(urlOf(await serve(), rest))).rejects.toMatchObject({
      failure: { reason, message: expect.stringContaining(words) as string },
    });
  });
});

describe('openGitContext with a token', () => {
  const token = 's3cr3t/+t0ken';

  async function serveTls(): Promise<{ server: GitServer; caFile: string }> {
    const { caFile, ...tls } = await createCertificate(base, 'git.test');
    return { server: await serve({ token, tls }), caFile };
  }

  function locate(server: GitServer, rest: string, login: string): string {
    return `https://${login}@git.test:${String(server.port)}/${rest}`;
  }

  it.each([
    [encodeURIComponent(token), 'x-access-token'],
    [`deploy:${encodeURIComponent(token)}`, 'deploy'],
  ])('sends it with every request, and keeps it neither in the clone nor in words', async (login, user) => {
    const { server, caFile } = await serveTls();
    const context = await open(locate(server, 'app.git#v1', login), { git: { caFile } });
    expect((await filesOf(context))['Dockerfile']).toBe('FROM one');
    const expected = `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
    expect(new Set(server.requests.map(({ authorization }) => authorization))).toEqual(new Set([expected]));
    expect(context.description).not.toContain('s3cr3t');
    const [clone = ''] = await readdir(temp);
    expect(await readdir(path.join(temp, clone))).toEqual(['tree']);
    expect(await readFile(path.join(temp, clone, 'tree/.git/config'), 'utf8')).not.toContain('s3cr3t');
  });

  it('says that a token is wrong or missing, without the token', async () => {
    const { server, caFile } = await serveTls();
    const wrong = open(locate(server, 'app.git', 'not-this'), { git: { caFile } });
    await expect(wrong).rejects.toMatchObject({
      failure: {
        reason: 'source-unavailable',
        message: expect.not.stringContaining('not-this') as string,
        hint: expect.stringContaining('token') as string,
      },
    });
    await expect(open(urlOf(await serve({ token })))).rejects.toMatchObject({
      failure: { reason: 'source-unavailable', hint: expect.stringContaining('token') as string },
    });
  });

  it('refuses a server whose certificate nobody vouches for', async () => {
    const { server } = await serveTls();
    await expect(open(locate(server, 'app.git', 'x'))).rejects.toMatchObject({
      failure: { reason: 'source-unavailable', message: expect.stringContaining('certificate') as string },
    });
    expect(server.requests).toEqual([]);
  });
});

describe('openGitContext and the network', () => {
  it('refuses a private address without an allowance, before git runs', async () => {
    const server = await serve();
    const egress = createEgress({ allow: [], lookup });
    await expect(open(urlOf(server), { egress })).rejects.toMatchObject({
      failure: {
        reason: 'invalid-request',
        field: 'sourceLocation',
        message: expect.stringContaining('loopback') as string,
      },
    });
    expect(server.requests).toEqual([]);
  });

  it('does not follow a redirect', async () => {
    const target = await serve();
    const server = await serve({ redirectTo: `http://127.0.0.1:${String(target.port)}` });
    await expect(open(urlOf(server))).rejects.toMatchObject({
      failure: { reason: 'source-unavailable', hint: expect.stringContaining('redirect') as string },
    });
    expect(target.requests).toEqual([]);
  });

  it('stops when the time is up, and when the signal aborts', async () => {
    const server = await serve({ isSilent: true });
    await expect(open(urlOf(server), { limits: { ...testLimits, timeoutMs: 300 } })).rejects.toMatchObject({
      failure: { reason: 'timed-out', message: expect.stringContaining('300 ms') as string },
    });
    const controller = new AbortController();
    const work = open(urlOf(server), { signal: controller.signal });
    await expect.poll(() => server.requests.length).toBeGreaterThan(1);
    controller.abort(new Error('canceled'));
    await expect(work).rejects.toThrow('canceled');
  });

  it('refuses a repository with too many files or bytes before it is checked out', async () => {
    const server = await serve();
    for (const limits of [{ maxEntries: 2 }, { maxUnpackedBytes: 10 }]) {
      await expect(open(urlOf(server), { limits: { ...testLimits, ...limits } })).rejects.toMatchObject({
        failure: { reason: 'too-large' },
      });
    }
  });
});

describe('openGitContext and submodules', () => {
  async function createSuper(name: string, url: string): Promise<void> {
    const library = path.join(base, 'repos/library');
    const commit = await createRepository(library, { 'lib.txt': name });
    await commitFiles(library, { 'lib.txt': 'newer' });
    const directory = path.join(base, 'repos', name);
    await createRepository(directory, { Dockerfile: 'FROM x' });
    await writeFile(path.join(directory, '.gitmodules'), `[submodule "l"]\n\tpath = vendor/l\n\turl = ${url}\n`);
    await git(directory, 'update-index', '--add', '--cacheinfo', `160000,${commit},vendor/l`);
    await git(directory, 'add', '.gitmodules');
    await git(directory, 'commit', '--quiet', '--message', 'submodule');
  }

  afterEach(async () => {
    for (const name of ['library', 'super']) await removeTree(path.join(base, 'repos', name));
  });

  it('fetches those of the same host at their commit, relative URLs included', async () => {
    await createSuper('super', '../library.git');
    const context = await open(urlOf(await serve(), 'super.git'));
    expect(await filesOf(context)).toMatchObject({ 'vendor/l/lib.txt': 'super' });
  });

  it.each([
    ['http://elsewhere.test/library.git', 'lies on elsewhere.test'],
    ['file:///etc', 'file:// is not among'],
    ['/etc', 'local paths'],
    ['--upload-pack=touch /tmp/x', 'space'],
    ['ext::sh -c id', 'space'],
    ['ssh://-oProxyCommand=x/y', 'host'],
  ])('refuses one at %s', async (url, words) => {
    await createSuper('super', url);
    await expect(open(urlOf(await serve(), 'super.git'))).rejects.toMatchObject({
      failure: { reason: 'invalid-request', message: expect.stringContaining(words) as string },
    });
  });
});

describe('openGitContext over ssh', () => {
  it('calls ssh with the checked address, in batch mode, with the key of the operator', async () => {
    const log = path.join(base, 'ssh.log');
    const sshCommand = path.join(base, "bin's", 'ssh');
    await mkdir(path.dirname(sshCommand), { recursive: true });
    const script = `#!/bin/sh\nprintf '%s\\n' "$@" >> '${log}'\nfor last; do :; done\ncd '${base}/repos' && exec sh -c "$last"\n`;
    await writeFile(sshCommand, script);
    await chmod(sshCommand, 0o755);
    const ssh = { sshCommand, sshKeyFile: '/keys/id ed', knownHostsFile: '/keys/known' };
    const context = await open('git@git.test:app/.git#v1', { git: ssh });
    expect((await filesOf(context))['Dockerfile']).toBe('FROM one');
    const words = (await readFile(log, 'utf8')).split('\n');
    expect(words).toContain('HostName=127.0.0.1');
    expect(words).toContain('BatchMode=yes');
    expect(words).toContain('StrictHostKeyChecking=yes');
    expect(words).toContain('UserKnownHostsFile=/keys/known');
    expect(words).toContain('/keys/id ed');
  });
});
