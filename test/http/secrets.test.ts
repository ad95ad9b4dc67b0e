import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import { createOwnSecrets } from '../../src/secret/own-secrets.ts';
import { openRequestSecrets } from '../../src/trigger/sealed-secrets.ts';
import { buildRequest, startRig, testKey } from './rig.ts';

const bytes = Buffer.from([0, 255, 254, 10]);

describe('secrets', () => {
  it('are set as text or bytes, kept sealed, and never given back', async () => {
    const { api, store } = await startRig();
    const set = await api('PUT', '/secrets/db-password', { value: 'päss word\n' });
    expect(set).toMatchObject({
      status: 200,
      body: { name: 'db-password', updatedBy: 'admin', lastUpdatedTime: '2026-11-21T09:00:00.000Z' },
    });
    await api('PUT', '/secrets/tls.key', {
      valueBase64: `${bytes.toString('base64').slice(0, 3)}\n${bytes.toString('base64').slice(3)}`,
    });
    const own = createOwnSecrets(testKey, store.secrets);
    expect((await own.read('db-password'))?.toString()).toBe('päss word\n');
    expect(await own.read('tls.key')).toEqual(bytes);
    const list = await api('GET', '/secrets');
    expect(list.body.value).toMatchObject([{ name: 'db-password' }, { name: 'tls.key' }]);
    expect(JSON.stringify([list.body, set.body])).not.toMatch(/päss|value"?:"/);
    expect(await store.secrets.get('db-password')).toMatch(/^v1\./);
  });

  it('are deleted once', async () => {
    const { api } = await startRig();
    await api('PUT', '/secrets/db', { value: 'x' });
    expect((await api('DELETE', '/secrets/db')).status).toBe(204);
    const again = await api('DELETE', '/secrets/db');
    expect(again).toMatchObject({ status: 404, body: { error: { message: 'there is no secret "db"' } } });
  });

  it.each([
    ['db', {}, 400, 'value'],
    ['db', { value: '' }, 400, 'value'],
    ['db', { value: null }, 400, 'value'],
    ['db', { value: 7 }, 400, 'value'],
    ['db', { value: 'hush', valueBase64: 'eA==' }, 400, 'valueBase64'],
    ['db', { valueBase64: 'hush!' }, 400, 'valueBase64'],
    ['db', { valueBase64: 'aaaaa' }, 400, 'valueBase64'],
    ['db', { valueBase64: ' ' }, 400, 'value'],
    ['db', { value: 'ä'.repeat(40_000) }, 413, 'value'],
    ['db', { value: 'x'.repeat(70_000) }, 400, 'value'],
    ['db', { text: 'hush' }, 400, 'text'],
    ['-db', { value: 'hush' }, 400, 'name'],
    ['a%2Fb', { value: 'hush' }, 400, 'name'],
    ['__proto__', { value: 'hush' }, 400, 'name'],
    ['x'.repeat(128), { value: 'hush' }, 400, 'name'],
  ])('at %s with %j are refused, naming the field and not the value', async (name, body, status, target) => {
    const { api } = await startRig();
    const answer = await api('PUT', `/secrets/${name}`, body);
    expect([answer.status, answer.body.error.target]).toEqual([status, target]);
    expect(JSON.stringify(answer.body)).not.toContain('hush');
    expect((await api('GET', '/secrets')).body.value).toEqual([]);
  });

  it('are for those with an account, and cannot be read one by one', async () => {
    const { url, api } = await startRig();
    for (const method of ['PUT', 'DELETE']) {
      expect((await fetch(`${url}/api/v1/secrets/db`, { method })).status).toBe(401);
    }
    expect((await fetch(`${url}/api/v1/secrets`)).status).toBe(401);
    const read = await api('GET', '/secrets/db');
    expect([read.status, read.headers.get('allow')]).toEqual([405, 'PUT, DELETE']);
  });
});

describe('credentials of foreign registries that lie in a vault', () => {
  const keyvault = 'https://v.vault.azure.net/secrets/p';
  const identity = '00000000-0000-0000-0000-00000000000f';

  it('are kept as URLs, sealed where they stand for a password', async () => {
    const { api, store } = await startRig();
    const customRegistries = {
      'x.io': {
        userName: { value: keyvault, type: 'vaultsecret' },
        password: { value: keyvault, type: 'Vaultsecret' },
        identity,
      },
      'y.io': { userName: { value: 'bob' }, password: { value: keyvault, type: 'Vaultsecret' }, identity: 'system' },
      'z.io': { userName: { value: 'bob' }, password: { value: 'hush', type: 'Opaque' } },
    };
    expect((await api('POST', '/scheduleRun', buildRequest({ credentials: { customRegistries } }))).status).toBe(200);
    const run = await store.runs.get('ca1' as RunId);
    const password = '********';
    expect(run?.request.credentials.customRegistries).toEqual({
      'x.io': { userName: keyvault, password, vaulted: ['userName', 'password'], clientId: identity },
      'y.io': { userName: 'bob', password, vaulted: ['password'] },
      'z.io': { userName: 'bob', password },
    });
    const { registries } = openRequestSecrets(testKey, run?.sealedSecrets ?? '');
    expect(registries).toEqual({ 'x.io': keyvault, 'y.io': keyvault, 'z.io': 'hush' });
  });

  it.each([
    [{ identity: 'me' }, 'identity'],
    [{ userName: { value: 'hush', type: 'Vaultsecret' } }, 'userName.value'],
  ])('with %j are refused, naming the field', async (change, field) => {
    const { api } = await startRig();
    const one = { userName: { value: 'bob' }, password: { value: keyvault, type: 'Vaultsecret' }, ...change };
    const answer = await api(
      'POST',
      '/scheduleRun',
      buildRequest({ credentials: { customRegistries: { 'x.io': one } } }),
    );
    expect(answer.body.error.target).toBe(`credentials.customRegistries.x.io.${field}`);
    expect(JSON.stringify(answer.body)).not.toContain('hush');
  });
});
