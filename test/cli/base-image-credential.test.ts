import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBaseImageCredentialDesk } from '../../src/compose/base-image-credentials.ts';
import { openRegistryCredential } from '../../src/secret/registry-credential.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { createTestClock, password, startRig, testKey } from '../http/rig.ts';
import { call, makeFolder } from './rig-api.ts';

async function setUp() {
  const clock = createTestClock();
  const store = createMemoryStore({ clock });
  const options = { clock, config: { registryHost: 'localhost:5080' }, key: testKey, store };
  const desk = createBaseImageCredentialDesk({ ...options, logger: { info: () => undefined } as never });
  const { url } = await startRig({ store, clock, baseImageCredentials: desk });
  const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const cwd = await makeFolder();
  const credential = (words: readonly string[], stdin = '') =>
    call(['base-image', 'credential', ...words], { env, cwd, stdin });
  const kept = async (registry: string) =>
    openRegistryCredential(testKey, registry, (await store.registryCredentials.get(registry)) ?? '');
  return { cwd, credential, kept };
}

describe('slipway base-image credential set', () => {
  it.each([[['--password-stdin']], [[]]])('takes the password from a pipe: %j', async (more) => {
    const { credential, kept } = await setUp();
    const set = await credential(['set', 'Index.docker.io', '--username', 'bot', ...more], 'hush\n');
    expect(set).toMatchObject({ code: 0, stderr: '' });
    expect(set.stdout).toBe('docker.io is asked about base images with this credential.\n');
    expect(await kept('docker.io')).toEqual({ userName: 'bot', password: 'hush' });
  });

  it('takes it from a file, and prints nothing of it as JSON either', async () => {
    const { cwd, credential, kept } = await setUp();
    await writeFile(join(cwd, 'token'), 'hush\n');
    const { stdout } = await credential(['set', 'ghcr.io', '-u', 'bot', '--password-file', 'token', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      registry: 'ghcr.io',
      lastUpdatedTime: '2026-11-21T09:00:00.000Z',
      updatedBy: 'admin',
    });
    expect(await kept('ghcr.io')).toEqual({ userName: 'bot', password: 'hush' });
  });

  it.each([
    [['ghcr.io', 'hush', '-u', 'bot']],
    [['ghcr.io', '-u', 'bot', '--password', 'hush']],
    [['ghcr.io', '-u', 'bot', '--password=hush']],
    [['ghcr.io', '-u', 'bot', '-phush']],
  ])('does not take it out of a command line: %j', async (words) => {
    const { credential } = await setUp();
    const { code, stdout, stderr } = await credential(['set', ...words], 'x');
    expect(code).toBe(2);
    expect(stderr).toContain('a password is not taken from the command line');
    expect(stdout + stderr).not.toContain('hush');
    expect(JSON.parse((await credential(['list', '--json'])).stdout)).toEqual([]);
  });

  it.each([
    [['ghcr.io'], '--username is missing'],
    [['ghcr.io', '-u', 'bot'], 'the password on stdin is empty'],
    [['ghcr.io', '-u', 'bot', '--password-file', 'nowhere'], 'nowhere cannot be read'],
    [['ghcr.io', '-u', 'bot', '--password-stdin', '--password-file', 'x'], 'exclude each other'],
  ])('says what is wrong with %j', async (words, message) => {
    const { credential } = await setUp();
    const { code, stderr } = await credential(['set', ...words], '\n');
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('says what a registry is called when it is given something else', async () => {
    const { credential } = await setUp();
    const { code, stderr } = await credential(['set', 'https://ghcr.io/', '-u', 'bot'], 'hush');
    expect(code).toBe(2);
    expect(stderr).toContain('hint: write it as image names begin: docker.io, ghcr.io');
  });
});

describe('slipway base-image credential list and remove', () => {
  it('show registries, when each was set and by whom, and take one away', async () => {
    const { credential } = await setUp();
    expect((await credential(['list'])).stderr).toBe('No credential is set for any registry.\n');
    await credential(['set', 'quay.io', '-u', 'bot'], 'hush');
    await credential(['set', 'docker.io', '-u', 'bot'], 'hush');
    const { stdout } = await credential(['list']);
    expect(stdout).toBe('docker.io  5 minutes ago  by admin\nquay.io    5 minutes ago  by admin\n');
    const json = await credential(['list', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject([{ registry: 'docker.io' }, { registry: 'quay.io' }]);
    expect(json.stdout).not.toMatch(/bot|hush/);
    expect(await credential(['remove', 'quay.io'])).toMatchObject({
      ...{ code: 0, stdout: 'The credential for quay.io is removed.\n' },
    });
    const again = await credential(['remove', 'quay.io']);
    expect(again).toMatchObject({ code: 3, stderr: 'error: no credential is set for quay.io\n' });
  });
});
