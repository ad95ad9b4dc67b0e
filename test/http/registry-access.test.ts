import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/registry/access/audit.ts';
import { createAccessDesk } from '../../src/registry/access/desk.ts';
import { createMemoryAccessRecords } from '../../src/registry/access/memory-records.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { startRig } from './rig.ts';

/** The API with a desk on records in memory. */
async function setUp(more: object = {}) {
  const audit: AuditEntry[] = [];
  const records = createMemoryAccessRecords();
  const access = createAccessDesk({
    records,
    clock: systemClock,
    audit: (entry) => void audit.push(entry),
    isTaken: (name) => name === 'admin',
  });
  const { api } = await startRig({ access, ...more });
  return { api, audit, records };
}

const pull = { properties: { description: 'ours', actions: ['repositories/team/*/content/read'] } };

describe('scope maps', () => {
  it('are made, shown, changed, listed with those of the system, and deleted', async () => {
    const { api, audit } = await setUp();
    const made = await api('PUT', '/scopeMaps/team-pull', pull);
    expect([made.status, made.body.name, made.body.type]).toEqual([
      200,
      'team-pull',
      'Microsoft.ContainerRegistry/registries/scopeMaps',
    ]);
    expect(made.body.id).toMatch(/\/registries\/slipway\/scopeMaps\/team-pull$/);
    expect(made.body.properties).toMatchObject({
      ...pull.properties,
      type: 'UserDefined',
      provisioningState: 'Succeeded',
    });
    const actions = ['repositories/team/app/content/write'];
    const changed = await api('PATCH', '/scopeMaps/TEAM-pull', { properties: { actions } });
    expect(changed.body.properties).toMatchObject({ description: 'ours', actions });
    const { body } = await api('GET', '/scopeMaps');
    expect(body.value.map(({ name }: { name: string }) => name)).toEqual([
      '_repositories_admin',
      '_repositories_pull',
      '_repositories_pull_metadata_read',
      '_repositories_push',
      '_repositories_push_metadata_write',
      'team-pull',
    ]);
    expect((await api('DELETE', '/scopeMaps/team-pull')).status).toBe(204);
    expect((await api('DELETE', '/scopeMaps/team-pull')).status).toBe(404);
    expect((await api('GET', '/scopeMaps/team-pull')).status).toBe(404);
    expect(audit.map(({ who, action, name, result }) => [who, action, name, result])).toEqual([
      ['admin', 'write-scope-map', 'team-pull', 'done'],
      ['admin', 'write-scope-map', 'team-pull', 'done'],
      ['admin', 'delete-scope-map', 'team-pull', 'done'],
    ]);
  });

  it('that make no sense are refused, with the field', async () => {
    const { api } = await setUp();
    const put = async (name: string, properties: object) => {
      const { status, body } = await api('PUT', `/scopeMaps/${name}`, { properties });
      return [status, body.error.target];
    };
    expect(await put('team-pull', { actions: ['repositories/A/content/read'] })).toEqual([
      400,
      'properties.actions[0]',
    ]);
    expect(await put('team-pull', { actions: [] })).toEqual([400, 'properties.actions']);
    expect(await put('team-pull', {})).toEqual([400, 'properties.actions']);
    expect(await put('anonymous', { actions: ['repositories/*/content/write'] })).toEqual([
      400,
      'properties.actions[0]',
    ]);
    expect(await put('x', pull.properties)).toEqual([400, 'name']);
    expect((await put('_repositories_pull', pull.properties))[0]).toBe(409);
    expect((await api('PATCH', '/scopeMaps/none-such', pull)).status).toBe(404);
  });
});

describe('tokens', () => {
  it('are made with a scope map, get passwords that are shown once, and lose them', async () => {
    const { api, records } = await setUp();
    await api('PUT', '/scopeMaps/team-pull', pull);
    const scopeMapId = (await api('GET', '/scopeMaps/team-pull')).body.id as string;
    const made = await api('PUT', '/tokens/builder', { properties: { scopeMapId, status: 'Enabled' } });
    expect(made.body.properties).toMatchObject({
      scopeMapId,
      status: 'enabled',
      credentials: { passwords: [], certificates: [] },
    });
    const expiry = '2999-01-01T00:00:00.000Z';
    const generated = await api('POST', '/generateCredentials', { tokenId: made.body.id, expiry });
    expect(generated.body.username).toBe('builder');
    expect(generated.body.passwords).toEqual([
      expect.objectContaining({ name: 'password1', expiry, value: expect.stringMatching(/^[\w-]{43}$/) }),
      expect.objectContaining({ name: 'password2', expiry, value: expect.stringMatching(/^[\w-]{43}$/) }),
    ]);
    const { value } = generated.body.passwords[0] as { value: string };
    const shown = await api('GET', '/tokens/builder');
    expect(shown.body.properties.credentials.passwords).toMatchObject([
      { name: 'password1', expiry },
      { name: 'password2' },
    ]);
    expect(JSON.stringify(shown.body)).not.toMatch(/hash|sha256/);
    expect(JSON.stringify(records.list('token'))).not.toContain(value);
    const kept = { properties: { credentials: { passwords: [{ name: 'password2', creationTime: 'x' }] } } };
    const changed = await api('PATCH', '/tokens/builder', kept);
    expect(changed.body.properties.credentials.passwords.map(({ name }: { name: string }) => name)).toEqual([
      'password2',
    ]);
    expect((await api('DELETE', '/scopeMaps/team-pull')).status).toBe(409);
    expect((await api('DELETE', '/tokens/builder')).status).toBe(204);
    expect((await api('DELETE', '/scopeMaps/team-pull')).status).toBe(204);
  });

  it('that make no sense are refused', async () => {
    const { api } = await setUp();
    const properties = { scopeMapId: '_repositories_pull' };
    const statusOf = async (method: string, path: string, body?: object) => (await api(method, path, body)).status;
    expect(await statusOf('PUT', '/tokens/builder', { properties: { scopeMapId: 'none-such' } })).toBe(400);
    expect(await statusOf('PUT', '/tokens/builder', { properties: {} })).toBe(400);
    expect(await statusOf('PUT', '/tokens/admin', { properties })).toBe(409);
    expect(await statusOf('PUT', '/tokens/no%20name', { properties })).toBe(400);
    expect(await statusOf('PATCH', '/tokens/builder', { properties })).toBe(404);
    expect(await statusOf('POST', '/generateCredentials', { tokenId: 'builder' })).toBe(404);
    expect(await statusOf('POST', '/generateCredentials', {})).toBe(400);
    await api('PUT', '/tokens/builder', { properties });
    expect(await statusOf('POST', '/generateCredentials', { tokenId: 'builder', expiry: '2001-01-01' })).toBe(400);
    expect(await statusOf('POST', '/generateCredentials', { tokenId: 'builder', expiry: 'soon' })).toBe(400);
    expect(await statusOf('PUT', '/servicePrincipals/builder', { properties: {} })).toBe(409);
  });
});

describe('service principals', () => {
  it('have roles and passwords', async () => {
    const { api } = await setUp();
    const roleAssignments = [{ role: 'acrpush', repositories: 'team/*' }];
    const made = await api('PUT', '/servicePrincipals/deployer', { properties: { roleAssignments } });
    expect(made.body.properties).toMatchObject({
      status: 'enabled',
      roleAssignments: [{ role: 'AcrPush', repositories: 'team/*' }],
    });
    const { body } = await api('POST', '/servicePrincipals/deployer/generateCredentials', { name: 'password1' });
    expect([body.username, body.passwords.length]).toEqual(['deployer', 1]);
    const wrong = { properties: { roleAssignments: [{ role: 'AcrPull', repositories: 'Team' }] } };
    expect((await api('PATCH', '/servicePrincipals/deployer', wrong)).status).toBe(400);
    expect((await api('PUT', '/servicePrincipals/chosen', { properties: { secret: 'short' } })).status).toBe(400);
  });
});

describe('the admin account’s passwords', () => {
  it('are shown and renewed, and neither where it may not use the registry', async () => {
    const passwords: [string, string] = ['one', 'two'];
    const adminCredential = {
      current: () => ({ username: 'admin', passwords }),
      renew: async (which: 1 | 2) => {
        passwords[which - 1] = 'new';
        return { username: 'admin', passwords };
      },
    };
    const { api } = await setUp({ adminCredential });
    expect((await api('POST', '/listCredentials')).body).toEqual({
      username: 'admin',
      passwords: [
        { name: 'password', value: 'one' },
        { name: 'password2', value: 'two' },
      ],
    });
    const renewed = await api('POST', '/regenerateCredential', { name: 'password2' });
    expect(renewed.body.passwords[1]).toEqual({ name: 'password2', value: 'new' });
    expect((await api('POST', '/regenerateCredential', { name: 'password3' })).status).toBe(400);
    const off = await setUp({ adminCredential, config: { registryAdmin: false } });
    expect((await off.api('POST', '/listCredentials')).status).toBe(409);
    expect((await off.api('GET', '/')).body.properties.adminUserEnabled).toBe(false);
  });
});
