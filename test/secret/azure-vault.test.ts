import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AzureVaultSettings } from '../../src/domain/vaults.ts';
import { createTestResolver, failureText, never, startVault, type Asked, type VaultReply } from './rig.ts';

const client = { tenantId: 'tenant-1', clientId: 'client-1', secret: { value: 'hush-client' } };
const version = '0123456789abcdef0123456789abcdef';
const clientId = '00000000-0000-0000-0000-00000000000f';

/** A vault, and on the same server the authority that gives tokens for it: t1, t2 … */
async function setUp(
  change: Partial<AzureVaultSettings> = {},
  reply: (asked: Asked) => VaultReply | undefined = () => undefined,
) {
  let tokens = 0;
  const server = await startVault((asked) => {
    const own = reply(asked);
    if (own !== undefined) return own;
    if (asked.path.includes('/token')) return { body: { access_token: `t${++tokens}`, expires_in: '3600' } };
    return { body: { value: `value of ${asked.path}`, id: 'x' } };
  });
  const azure = { client, authority: server.url, managedIdentity: false, servers: [server.url], ...change };
  const resolver = createTestResolver({ azure }, { metadataUrl: server.url });
  const read = (path: string, more: object = {}) =>
    resolver.resolve({ id: 'db', keyvault: `${server.url}${path}`, ...more }, never);
  return { ...server, read };
}

describe('a secret in an Azure Key Vault', () => {
  it('is read as the service principal, with one token for all', async () => {
    const { read, asked, paths } = await setUp();
    const values = await Promise.all([read('/secrets/db'), read(`/secrets/db/${version}`), read('/secrets/other/')]);
    expect(values).toEqual([
      'value of /secrets/db?api-version=7.4',
      `value of /secrets/db/${version}?api-version=7.4`,
      'value of /secrets/other?api-version=7.4',
    ]);
    await read('/secrets/later');
    expect(paths().filter((path) => path.includes('token'))).toEqual(['POST /tenant-1/oauth2/v2.0/token']);
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client-1',
      client_secret: 'hush-client',
      scope: 'https://vault.azure.net/.default',
    });
    expect(asked.slice(1).map(({ headers }) => headers.authorization)).toEqual(Array(4).fill('Bearer t1'));
  });

  it('is read with the client secret that stands in a file at the time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-secret-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'secret');
    const { read, asked } = await setUp({ client: { ...client, secret: { file } } });
    expect(await failureText(read('/secrets/db'))).toContain(`unsupported: the credential file ${file} cannot be read`);
    await writeFile(file, 'from-file\n');
    await read('/secrets/db');
    expect(asked[0]?.body).toContain('client_secret=from-file&');
  });

  it('is read as the managed identity that it names, each with a token of its own', async () => {
    const { read, asked } = await setUp({ client: undefined, managedIdentity: true });
    await read('/secrets/db', { clientId });
    await read('/secrets/db');
    const tokens = asked.filter(({ path }) => path.startsWith('/metadata'));
    const start = '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net';
    expect(tokens.map(({ path }) => path)).toEqual([`${start}&client_id=${clientId}`, start]);
    expect(tokens[0]?.headers['metadata']).toBe('true');
  });

  it('is read as the service principal where it names no identity, and where managed ones are off', async () => {
    const both = await setUp({ managedIdentity: true });
    await both.read('/secrets/db');
    await both.read('/secrets/db', { clientId });
    expect(
      both
        .paths()
        .filter((path) => path.includes('token'))
        .map((path) => path.split('?')[0]),
    ).toEqual(['POST /tenant-1/oauth2/v2.0/token', 'GET /metadata/identity/oauth2/token']);
    const off = await setUp();
    await off.read('/secrets/db', { clientId });
    expect(off.paths()[0]).toBe('POST /tenant-1/oauth2/v2.0/token');
  });

  it.each([
    [401, 'forbidden: the secret "db": the key vault 127.0.0.1'],
    [403, 'does not let this server read it (403, Forbidden) (let the identity read secrets'],
    [404, 'not-found: the secret "db": the key vault 127.0.0.1'],
    [400, 'source-unavailable: the secret "db": the key vault 127.0.0.1'],
    [302, 'does not give it (302'],
  ])('that is answered with %i fails with its name and no value', async (status, words) => {
    const { read } = await setUp({}, ({ path }) =>
      path.startsWith('/secrets')
        ? {
            status,
            headers: { location: 'http://evil.example/' },
            body: { value: 'hush', error: { code: 'Forbidden', message: 'hush' } },
          }
        : undefined,
    );
    const text = await failureText(read('/secrets/db'));
    expect(text).toContain(words);
    expect(text).not.toContain('hush');
  });

  it('is asked for once more with a new token when a kept one was revoked', async () => {
    let revoked = 'none';
    const { read, paths } = await setUp({}, ({ headers }) =>
      headers.authorization === revoked ? { status: 401 } : undefined,
    );
    await read('/secrets/a');
    revoked = 'Bearer t1';
    const values = await Promise.all(['b', 'c', 'd'].map((name) => read(`/secrets/${name}`)));
    expect(values).toHaveLength(3);
    expect(paths().filter((path) => path.includes('token'))).toHaveLength(2);
  });

  it('is asked for again while the vault is busy, and not for ever', async () => {
    let left = 2;
    const busy = await setUp({}, ({ path }) =>
      path.startsWith('/secrets') && left-- > 0 ? { status: 429 } : undefined,
    );
    expect(await busy.read('/secrets/db')).toContain('value of');
    const down = await setUp({}, ({ path }) =>
      path.startsWith('/secrets') ? { status: 503, body: 'no json' } : undefined,
    );
    expect(await failureText(down.read('/secrets/db'))).toContain('does not give it (503)');
    expect(down.paths().filter((path) => path.includes('/secrets'))).toHaveLength(3);
  });

  it('says when there is no token for it, without what the authority says', async () => {
    const { read, asked } = await setUp({}, ({ path }) =>
      path.includes('token')
        ? { status: 401, body: { error: 'invalid_client', error_description: 'hush-client' } }
        : undefined,
    );
    const text = await failureText(read('/secrets/db'));
    expect(text).toMatch(
      /^source-unavailable: the secret "db": 127\.0\.0\.1:\d+ gives no token to read it with \(401, invalid_client\)/,
    );
    expect(text).not.toContain('hush');
    await failureText(read('/secrets/db'));
    expect(asked).toHaveLength(2);
  });

  it('says what to set up where there is no identity', async () => {
    const resolver = createTestResolver({});
    const source = { id: 'db', keyvault: 'https://v.vault.azure.net/secrets/db' };
    expect(await failureText(resolver.resolve(source, never))).toMatch(
      /^unsupported: .*"db".*\(set SLIPWAY_AZURE_TENANT_ID/,
    );
  });

  it.each([
    '/',
    '/secrets',
    '/secrets/a/b/c',
    '/keys/a',
    '/secrets/a?x=1',
    '/secrets/a#b',
    '/secrets/%2e%2e/a',
    '/secrets/a_b',
  ])('is not looked for at %s', async (path) => {
    const { read, asked } = await setUp();
    expect(await failureText(read(path))).toContain(
      'invalid-request: the secret "db": its key vault URL must end with',
    );
    expect(asked).toEqual([]);
  });

  it.each([
    'https://v.vault.azure.net.evil.example/secrets/a',
    'https://evil.example/secrets/a',
    'http://v.vault.azure.net/secrets/a',
    'https://v.vault.azure.net:8443/secrets/a',
    'https://a.b.vault.azure.net/secrets/a',
    'https://vault.azure.net/secrets/a',
    'https://user@evil.example/.vault.azure.net/secrets/a',
    'http://169.254.169.254/metadata/identity',
  ])('is not asked of %s, which is no key vault', async (keyvault) => {
    const { asked } = await setUp();
    const azure = { client, managedIdentity: true, servers: [] };
    const asking = createTestResolver({ azure }, { fetch: () => Promise.reject(new Error('asked')) });
    expect(await failureText(asking.resolve({ id: 'db', keyvault }, never))).toContain(
      'is no vault that this server asks',
    );
    expect(asked).toEqual([]);
  });

  it.each([
    ['https://v.vault.azure.net', 'https://login.microsoftonline.com/tenant-1/', 'https://vault.azure.net/.default'],
    [
      'https://v.vault.azure.cn',
      'https://login.partner.microsoftonline.cn/tenant-1/',
      'https://vault.azure.cn/.default',
    ],
    [
      'https://v.vault.usgovcloudapi.net',
      'https://login.microsoftonline.us/tenant-1/',
      'https://vault.usgovcloudapi.net/.default',
    ],
  ])('of the cloud of %s has tokens of its own authority', async (vault, authority, scope) => {
    const asked: { url: string; body?: string }[] = [];
    const resolver = createTestResolver(
      { azure: { client, managedIdentity: false, servers: [] } },
      {
        fetch: (url, { body }) => {
          asked.push({ url, ...(body !== undefined && { body }) });
          return Promise.reject(new Error('enough'));
        },
      },
    );
    await failureText(resolver.resolve({ id: 'db', keyvault: `${vault}/secrets/db` }, never));
    expect(asked[0]?.url).toBe(`${authority}oauth2/v2.0/token`);
    expect(new URLSearchParams(asked[0]?.body).get('scope')).toBe(scope);
  });
});
