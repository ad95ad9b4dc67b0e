import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pushFolder } from '../../src/cli/push-folder.ts';
import { folderRepositoryOf } from '../../src/domain/task-folder.ts';
import { isRepositoryName } from '../../src/domain/image-reference.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { listArchive } from '../rig/contexts.ts';
import { openContext } from '../../src/source/open-context.ts';
import { startRegistry } from '../registry/rig.ts';
import { testLimits } from '../source/tar-rig.ts';
import { call, envFor, makeContext, sendJson, startFakeApi } from './rig-api.ts';

const signal = new AbortController().signal;

async function setUp() {
  const registry = await startRegistry();
  const tempRoot = await mkdtemp(join(tmpdir(), 'push-test-'));
  onTestFinished(async () => {
    await registry.stop();
    await rm(tempRoot, { recursive: true });
  });
  const account = { username: 'admin', password: 'secret' };
  const target = { server: registry.url, account, repository: 'contexts/web-app', tag: 'latest' };
  const read = async (digest: string) => {
    const host = new URL(registry.url).host;
    const credential = () => ({ userName: 'admin', password: 'secret' });
    const context = await openContext(`oci://${host}/contexts/web-app@${digest}`, {
      ...{ egress: createEgress({ allow: [] }), tempRoot, limits: testLimits },
      uploads: { open: async () => undefined },
      ownRegistry: { host, url: registry.url, credential },
    });
    const names = await listArchive(await buffer(await context.open()));
    await context.dispose();
    return names;
  };
  return { registry, target, read };
}

describe('a folder that is pushed', () => {
  it('comes back without what .dockerignore keeps back, and is the same when nothing has changed', async () => {
    const { registry, target, read } = await setUp();
    const root = await makeContext();
    const first = await pushFolder(target, { root, dockerfile: 'Dockerfile' }, signal);
    expect(await read(first.digest)).toEqual(['.dockerignore', 'Dockerfile', 'a']);
    const pushes = registry.events.length;
    expect(await pushFolder(target, { root, dockerfile: 'Dockerfile' }, signal)).toEqual(first);
    await writeFile(join(root, 'b'), 'b');
    const second = await pushFolder(target, { root, dockerfile: 'Dockerfile' }, signal);
    expect(second.digest).not.toBe(first.digest);
    expect(await read(second.digest)).toContain('b');
    expect(pushes).toBeGreaterThan(0);
  });

  it('is refused with words about the login, or about who does not answer', async () => {
    const { target } = await setUp();
    const folder = { root: await makeContext(), dockerfile: undefined };
    const stranger = { ...target, account: { username: 'admin', password: 'wrong' } };
    await expect(pushFolder(stranger, folder, signal)).rejects.toMatchObject({
      failure: { reason: 'unauthenticated' },
    });
    const nowhere = { ...target, server: 'http://127.0.0.1:1' };
    await expect(pushFolder(nowhere, folder, signal)).rejects.toMatchObject({
      failure: { reason: 'server-unreachable' },
    });
  });
});

describe('the repository of a task’s folder', () => {
  it.each(['web-app', 'Web_App', 'a___b', 'app--', 'x-_-y'])('is a fit name for %s', (task) => {
    expect(isRepositoryName(folderRepositoryOf(task))).toBe(true);
  });

  it('is its own', () => {
    expect(folderRepositoryOf('web-app')).toBe('contexts/web-app');
    expect(folderRepositoryOf('a___b')).not.toBe(folderRepositoryOf('a____b'));
  });
});

describe('slipway task create with a folder', () => {
  const api = () =>
    startFakeApi({
      'GET /api/v1/': (_, response) => sendJson(response, { properties: { loginServer: 'h.test' } }),
    });

  it.each([
    [['-t', 'app', '-f', 'none'], 'there is no none in what is sent of the folder'],
    [['-f', 'secret.txt.yaml'], 'there is no secret.txt.yaml'],
    [['-t', 'app', '--git-access-token', '-'], 'a folder needs no token'],
  ])('refuses %j before anything is sent', async (words, why) => {
    const { url, seen } = await api();
    const cwd = await makeContext();
    const options = { env: envFor(url), cwd, stdin: 'token' };
    const { code, stderr } = await call(['task', 'create', 'web-app', '-c', '.', ...words], options);
    expect(code).not.toBe(0);
    expect(stderr).toContain(why);
    expect(seen.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});
