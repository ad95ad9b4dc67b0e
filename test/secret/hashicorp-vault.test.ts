import { describe, expect, it } from 'vitest';
import type { HashicorpVaultSettings } from '../../src/domain/vaults.ts';
import { createTestResolver, failureText, never, startVault, type Asked, type VaultReply } from './rig.ts';

const documents: Readonly<Record<string, unknown>> = {
  '/v1/secret/data/app': { data: { data: { password: 'p', user: 'u', port: 5432 }, metadata: { version: 3 } } },
  '/v1/secret/data/app?version=1': { data: { data: { password: 'old' }, metadata: { version: 1 } } },
  '/v1/secret/data/gone': { data: { data: null, metadata: { deletion_time: 'x' } } },
  '/v1/kv/app': { data: { password: 'v1' } },
  '/v1/kv/many': { data: { a: '1', value: 'usual' } },
  '/v1/kv/wrapped': { data: { data: 'just a name' } },
  '/v1/auth/token/lookup-self': { data: { id: 'hush-token' } },
};

/** A vault with two kinds of key/value engine, and AppRole logins that give t1, t2 … */
async function setUp(
  change: Partial<HashicorpVaultSettings> = {},
  reply: (asked: Asked) => VaultReply | undefined = () => undefined,
  prefix = '',
) {
  let logins = 0;
  const server = await startVault((asked) => {
    const own = reply(asked);
    if (own !== undefined) return own;
    const path = asked.path.slice(prefix.length);
    if (path === '/v1/auth/approle/login')
      return { body: { auth: { client_token: `t${++logins}`, lease_duration: 3600 } } };
    return path in documents ? { body: documents[path] } : { status: 404, body: { errors: [] } };
  });
  const login = { kind: 'token', token: { value: 'root' } } as const;
  const hashicorp = { address: `${server.url}${prefix}`, login, ...change };
  const resolver = createTestResolver({ hashicorp });
  const read = (path: string) => resolver.resolve({ id: 'db', keyvault: `${server.url}${path}` }, never);
  return { ...server, read };
}

describe('a secret in a HashiCorp Vault', () => {
  it.each([
    ['/v1/secret/data/app#password', 'p'],
    ['/v1/secret/data/app#port', '5432'],
    ['/v1/secret/data/app?version=1#password', 'old'],
    ['/v1/secret/data/app?version=1', 'old'],
    ['/v1/kv/app#password', 'v1'],
    ['/v1/kv/app', 'v1'],
    ['/v1/kv/many', 'usual'],
    ['/v1/kv/wrapped#data', 'just a name'],
  ])('is read from %s', async (path, value) => {
    expect(await (await setUp()).read(path)).toBe(value);
  });

  it('is asked for with the token and the namespace', async () => {
    const { read, asked } = await setUp({ namespace: 'team-a' });
    await read('/v1/kv/app');
    expect(asked[0]?.headers).toMatchObject({
      'x-vault-token': 'root',
      'x-vault-namespace': 'team-a',
      'x-vault-request': 'true',
    });
  });

  it('is read after one login with an AppRole, and after a new one when its token is refused', async () => {
    let revoked = 'none';
    const { read, asked, paths } = await setUp(
      { login: { kind: 'approle', roleId: 'role-1', secretId: { value: 'hush-id' } } },
      ({ headers }) => (headers['x-vault-token'] === revoked ? { status: 403 } : undefined),
    );
    expect(await Promise.all([read('/v1/kv/app'), read('/v1/kv/many')])).toEqual(['v1', 'usual']);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ role_id: 'role-1', secret_id: 'hush-id' });
    revoked = 't1';
    expect(await Promise.all([read('/v1/kv/app'), read('/v1/kv/many')])).toEqual(['v1', 'usual']);
    expect(paths().filter((path) => path.startsWith('POST'))).toHaveLength(2);
  });

  it('may lie behind a path of a proxy', async () => {
    const { read } = await setUp({}, undefined, '/vault');
    expect(await read('/vault/v1/kv/app')).toBe('v1');
    expect(await failureText(read('/v1/kv/app'))).toContain('is no vault that this server asks');
  });

  it.each([
    ['/v1/secret/data/none', 'not-found: the secret "db": the vault 127.0.0.1'],
    ['/v1/secret/data/gone', 'not-found: the secret "db": the vault 127.0.0.1'],
    ['/v1/secret/data/app', 'not-found: the secret "db": it has several fields (name one of its fields after #'],
    ['/v1/secret/data/app#passwort', 'not-found: the secret "db": it has no field "passwort"'],
    ['/v1/secret/data/app#__proto__', 'not-found: the secret "db": it has no field'],
  ])('that is not at %s fails with its name', async (path, words) => {
    expect(await failureText((await setUp()).read(path))).toContain(words);
  });

  it.each([
    [403, 'forbidden: the secret "db": the vault 127.0.0.1'],
    [503, 'source-unavailable: the secret "db": the vault 127.0.0.1'],
    [307, 'does not give it (307)'],
  ])('that is answered with %i fails with its name and no more of the answer', async (status, words) => {
    const { read } = await setUp({}, () => ({
      status,
      headers: { location: '/v1/kv/app' },
      body: { errors: ['hush'] },
    }));
    const text = await failureText(read('/v1/kv/app'));
    expect(text).toContain(words);
    expect(text).not.toContain('hush');
  });

  it('says when the login is refused, without the secret id', async () => {
    const { read } = await setUp(
      { login: { kind: 'approle', roleId: 'r', secretId: { value: 'hush-id' } } },
      ({ method }) =>
        method === 'POST' ? { status: 400, body: { errors: ['invalid secret id hush-id'] } } : undefined,
    );
    const text = await failureText(read('/v1/kv/app'));
    expect(text).toContain('does not let this server log in (400)');
    expect(text).not.toContain('hush');
  });

  it.each([
    '/v1/auth/token/lookup-self#id',
    '/v1/%61uth/token/lookup-self#id',
    '/v1/team/auth/token/lookup-self#id',
    '/v1/sys/raw/x',
    '/v1/identity/entity/id/x',
    '/v1/cubbyhole/response',
    '/v1/team/cubbyhole/x',
    '/v1/kv/..%2fauth/token/lookup-self#id',
    '/v1/kv//app',
    '/v1/kv',
    '/v1/kv/app?list=true',
    '/v1/kv/%ff',
  ])('is not looked for at %s', async (path) => {
    const { read, asked } = await setUp();
    expect(await failureText(read(path))).toContain(
      'invalid-request: the secret "db": its URL names no secret of the vault',
    );
    expect(asked).toEqual([]);
  });

  it.each(['/v1/../../etc/passwd', '/ui', 'x/v1/kv/app'])('is nowhere outside the API: %s', async (path) => {
    const { read, asked } = await setUp();
    expect(await failureText(read(path))).toMatch(/^invalid-request: the secret "db"/);
    expect(asked).toEqual([]);
  });
});
