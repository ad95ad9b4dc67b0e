import { describe, expect, it } from 'vitest';
import { createBaseImageCredentialDesk } from '../../src/compose/base-image-credentials.ts';
import { openRegistryCredential } from '../../src/secret/registry-credential.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { createTestClock, startRig, testKey } from './rig.ts';

/** No base64 has a dot: a sealed text cannot look like these. */
const account = { username: 'pull.bot', password: 'hush.hush' };

async function setUp() {
  const clock = createTestClock();
  const store = createMemoryStore({ clock });
  const lines: object[] = [];
  const logger = { info: (context: object) => void lines.push(context) } as never;
  const config = { registryHost: 'Localhost:5080' };
  const baseImageCredentials = createBaseImageCredentialDesk({ clock, config, key: testKey, logger, store });
  const rig = await startRig({ store, clock, baseImageCredentials });
  return { ...rig, lines };
}

describe('credentials for registries that bases come from', () => {
  it('are set and changed by registry, under the name that images have for it, sealed, and never given back', async () => {
    const { api, store, logged, lines } = await setUp();
    await api('PUT', '/baseImages/credentials/registry.test%3A5000', { ...account, password: 'before' });
    const set = await api('PUT', '/baseImages/credentials/Registry.Test:5000', account);
    const entry = { lastUpdatedTime: '2026-11-21T09:00:00.000Z', updatedBy: 'admin' };
    expect(set).toMatchObject({ status: 200, body: { registry: 'registry.test:5000', ...entry } });
    await api('PUT', '/baseImages/credentials/index.docker.io', { username: 'pull.bot', password: 'a:ß\n{}' });
    const list = await api('GET', '/baseImages/credentials');
    expect(list.body).toEqual({
      value: [
        { registry: 'docker.io', ...entry },
        { registry: 'registry.test:5000', ...entry },
      ],
    });
    const sealed = (await store.registryCredentials.get('registry.test:5000')) ?? '';
    expect(sealed).not.toMatch(/pull\.bot|hush\.hush/);
    expect(openRegistryCredential(testKey, 'registry.test:5000', sealed)).toEqual({
      userName: 'pull.bot',
      password: 'hush.hush',
    });
    expect(JSON.stringify([set.body, list.body, logged, lines])).not.toMatch(/hush\.hush|pull\.bot/);
  });

  it('are removed once; each change leaves a line of audit', async () => {
    const { api, lines } = await setUp();
    await api('PUT', '/baseImages/credentials/ghcr.io', account);
    expect((await api('DELETE', '/baseImages/credentials/GHCR.io')).status).toBe(204);
    expect(await api('DELETE', '/baseImages/credentials/ghcr.io')).toMatchObject({
      status: 404,
      body: { error: { message: 'no credential is set for ghcr.io' } },
    });
    const line = { audit: true, at: '2026-11-21T09:00:00.000Z', who: 'admin', name: 'ghcr.io', result: 'done' };
    expect(lines).toEqual([
      { ...line, action: 'write-registry-credential' },
      { ...line, action: 'delete-registry-credential' },
    ]);
  });

  it.each([
    ['ghcr.io', {}, 'username'],
    ['ghcr.io', { username: 'pull.bot' }, 'password'],
    ['ghcr.io', { username: 'pull.bot', password: '' }, 'password'],
    ['ghcr.io', { username: 'pull.bot', password: 7 }, 'password'],
    ['ghcr.io', { username: 'pull.bot', password: 'hush.hush'.repeat(4097) }, 'password'],
    ['ghcr.io', { username: 'hush.hush:x', password: 'p' }, 'username'],
    ['ghcr.io', { username: 'hush.hush\n', password: 'p' }, 'username'],
    ['ghcr.io', { username: 'x'.repeat(257), password: 'p' }, 'username'],
    ['ghcr.io', { ...account, token: 'hush.hush' }, 'token'],
    ['dockerhub', account, 'registry'],
    ['https%3A%2F%2Fghcr.io', account, 'registry'],
    ['ghcr.io%2Facme', account, 'registry'],
    ['user@ghcr.io', account, 'registry'],
    ['ghcr.io:port', account, 'registry'],
    [`${'x'.repeat(255)}.io`, account, 'registry'],
    ['localhost:5080', account, 'registry'],
  ])('at %s with %j are refused, naming the field and not the value', async (registry, body, target) => {
    const { api } = await setUp();
    const answer = await api('PUT', `/baseImages/credentials/${registry}`, body);
    expect([answer.status, answer.body.error.target]).toEqual([400, target]);
    expect(JSON.stringify(answer.body)).not.toContain('hush.hush');
    expect((await api('GET', '/baseImages/credentials')).body.value).toEqual([]);
  });

  it('take no more than a megabyte of anything', async () => {
    const { api } = await setUp();
    const answer = await api('PUT', '/baseImages/credentials/ghcr.io', { ...account, password: 'x'.repeat(1024 ** 2) });
    expect(answer.status).toBe(413);
  });

  it('are for those with an account, and cannot be read one by one', async () => {
    const { url, api } = await setUp();
    for (const method of ['PUT', 'DELETE'])
      expect((await fetch(`${url}/api/v1/baseImages/credentials/ghcr.io`, { method })).status).toBe(401);
    expect((await fetch(`${url}/api/v1/baseImages/credentials`)).status).toBe(401);
    const read = await api('GET', '/baseImages/credentials/ghcr.io');
    expect([read.status, read.headers.get('allow')]).toEqual([405, 'PUT, DELETE']);
  });
});
