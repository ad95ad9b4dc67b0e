import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

describe('the configuration', () => {
  it('works without any variable, and listens on loopback only', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      name: 'slipway',
      listen: { host: '127.0.0.1', port: 5080 },
      url: 'http://127.0.0.1:5080',
      registryHost: '127.0.0.1:5080',
      redis: { url: undefined, prefix: 'slipway' },
      anonymousPull: false,
      registryAdmin: true,
      egressAllow: [],
    });
    expect(config.dataDir).toMatch(/\.slipway$/);
  });

  it.each([
    [{ SLIPWAY_PORT: '8080' }, 'http://127.0.0.1:8080', '127.0.0.1:8080'],
    [{ SLIPWAY_HOST: '0.0.0.0' }, 'http://127.0.0.1:5080', '127.0.0.1:5080'],
    [{ SLIPWAY_HOST: '::1' }, 'http://[::1]:5080', '[::1]:5080'],
    [{ SLIPWAY_URL: 'https://ci.example.com/' }, 'https://ci.example.com', 'ci.example.com'],
    [{ SLIPWAY_URL: 'http://api:5080', SLIPWAY_REGISTRY: 'localhost:5080' }, 'http://api:5080', 'localhost:5080'],
  ])('with %j is reached at %s and pushes to %s', (env, url, registryHost) => {
    expect(readConfig(env)).toMatchObject({ url, registryHost });
  });

  it.each([
    ['500MiB', 500 * 1024 ** 2],
    ['2g', 2 * 1024 ** 3],
    ['1.5 GiB', 1.5 * 1024 ** 3],
    ['1024', 1024],
  ])('reads the size %s', (text, bytes) => {
    expect(readConfig({ SLIPWAY_UPLOAD_LIMIT: text }).upload.maxBytes).toBe(bytes);
  });

  it('reads lists that are separated by commas or spaces', () => {
    expect(readConfig({ SLIPWAY_EGRESS_ALLOW: 'git.corp, 10.0.0.0/8  *.local' }).egressAllow).toEqual([
      'git.corp',
      '10.0.0.0/8',
      '*.local',
    ]);
  });

  it('speaks plain HTTP unless it is told to speak TLS, and then says https of itself', () => {
    expect(readConfig({}).tls).toBeUndefined();
    const given = { SLIPWAY_TLS_CERT: '/c.pem', SLIPWAY_TLS_KEY: '/k.pem' };
    expect(readConfig(given)).toMatchObject({
      tls: { certFile: '/c.pem', keyFile: '/k.pem', isOwn: false },
      url: 'https://127.0.0.1:5080',
      registryHost: '127.0.0.1:5080',
    });
    expect(readConfig({ ...given, SLIPWAY_TLS: 'off' })).toMatchObject({
      tls: undefined,
      url: 'http://127.0.0.1:5080',
    });
    expect(readConfig({ SLIPWAY_DATA: '/d', SLIPWAY_TLS: 'auto', SLIPWAY_TLS_NAMES: 'a, b' })).toMatchObject({
      tls: { certFile: '/d/tls/server.crt', keyFile: '/d/tls/server.key', isOwn: true, names: ['a', 'b'] },
      trust: { tlsDirectory: '/d/tls', caFile: undefined },
      url: 'https://127.0.0.1:5080',
    });
  });

  it.each([
    [{ SLIPWAY_TLS_CERT: '/c.pem' }, 'SLIPWAY_TLS_CERT and SLIPWAY_TLS_KEY go together'],
    [{ SLIPWAY_TLS: 'on' }, 'SLIPWAY_TLS_CERT and SLIPWAY_TLS_KEY go together'],
    [{ SLIPWAY_TLS: 'auto', SLIPWAY_TLS_KEY: '/k.pem' }, 'SLIPWAY_TLS=auto makes a certificate'],
    [{ SLIPWAY_TLS: 'auto', SLIPWAY_URL: 'http://a' }, 'SLIPWAY_URL must be an https URL'],
    [{ SLIPWAY_TLS: 'maybe' }, 'SLIPWAY_TLS must be one of off, on, auto'],
    [
      { SLIPWAY_ALLOW_IPS: '10.0.0.0/8, 10.0.0/8' },
      'SLIPWAY_ALLOW_IPS: "10.0.0/8" is neither an address nor a network',
    ],
    [{ SLIPWAY_TRUSTED_PROXIES: 'proxy' }, 'SLIPWAY_TRUSTED_PROXIES: "proxy" is neither'],
  ])('refuses %j', (env, message) => {
    expect(() => readConfig(env)).toThrow(message);
  });

  it('knows no vaults unless they are set up', () => {
    expect(readConfig({}).vaults).toEqual({ azure: undefined, hashicorp: undefined });
  });

  it('reads how vaults are reached, with credentials from files that are read later', () => {
    const azure = {
      SLIPWAY_AZURE_TENANT_ID: 't',
      SLIPWAY_AZURE_CLIENT_ID: 'c',
      SLIPWAY_AZURE_CLIENT_SECRET_FILE: '/run/azure',
      SLIPWAY_AZURE_AUTHORITY: 'https://login.corp/adfs/',
      SLIPWAY_AZURE_VAULTS: 'https://kv.corp/, http://127.0.0.1:1',
    };
    const hashicorp = {
      SLIPWAY_VAULT_ADDR: 'https://vault:8200/',
      SLIPWAY_VAULT_TOKEN: 'x',
      SLIPWAY_VAULT_NAMESPACE: 'n',
    };
    expect(readConfig({ ...azure, ...hashicorp }).vaults).toEqual({
      azure: {
        client: { tenantId: 't', clientId: 'c', secret: { file: '/run/azure' } },
        authority: 'https://login.corp/adfs',
        managedIdentity: false,
        servers: ['https://kv.corp', 'http://127.0.0.1:1'],
      },
      hashicorp: { address: 'https://vault:8200', namespace: 'n', login: { kind: 'token', token: { value: 'x' } } },
    });
    const role = { SLIPWAY_VAULT_ADDR: 'http://v:1/x', SLIPWAY_VAULT_ROLE_ID: 'r', SLIPWAY_VAULT_SECRET_ID: 's' };
    expect(readConfig(role).vaults.hashicorp).toEqual({
      address: 'http://v:1/x',
      namespace: undefined,
      login: { kind: 'approle', roleId: 'r', secretId: { value: 's' } },
    });
    expect(readConfig({ SLIPWAY_AZURE_MANAGED_IDENTITY: 'true' }).vaults.azure).toMatchObject({
      managedIdentity: true,
    });
  });

  it.each([
    [{ SLIPWAY_AZURE_TENANT_ID: 't', SLIPWAY_AZURE_CLIENT_ID: 'c' }, 'go together'],
    [{ SLIPWAY_VAULT_TOKEN: 'hush' }, 'SLIPWAY_VAULT_ADDR is missing'],
    [{ SLIPWAY_VAULT_ADDR: 'https://v' }, 'needs SLIPWAY_VAULT_TOKEN'],
    [{ SLIPWAY_VAULT_ADDR: 'https://v', SLIPWAY_VAULT_ROLE_ID: 'r' }, 'needs SLIPWAY_VAULT_TOKEN'],
    [{ SLIPWAY_VAULT_ADDR: 'https://v', SLIPWAY_VAULT_TOKEN: 'hush', SLIPWAY_VAULT_ROLE_ID: 'r' }, 'and not both'],
    [{ SLIPWAY_VAULT_ADDR: 'vault:8200', SLIPWAY_VAULT_TOKEN: 'hush' }, 'SLIPWAY_VAULT_ADDR must be'],
    [
      { SLIPWAY_VAULT_ADDR: 'https://v', SLIPWAY_VAULT_TOKEN: 'hush', SLIPWAY_VAULT_TOKEN_FILE: '/f' },
      'exclude each other',
    ],
    [{ SLIPWAY_AZURE_VAULTS: 'https://kv.corp/secrets' }, 'SLIPWAY_AZURE_VAULTS must be'],
    [{ SLIPWAY_AZURE_AUTHORITY: 'ftp://x' }, 'SLIPWAY_AZURE_AUTHORITY must be'],
  ])('says what is wrong with the vault of %j, and no credential', (env, words) => {
    expect(() => readConfig(env)).toThrow(words);
    expect(() => readConfig(env)).not.toThrow('hush');
  });

  it('names every variable that is wrong, at once', () => {
    const env = {
      SLIPWAY_PORT: '99999',
      SLIPWAY_NAME: 'a b',
      SLIPWAY_UPLOAD_LIMIT: 'much',
      SLIPWAY_ANONYMOUS_PULL: 'maybe',
      SLIPWAY_URL: 'ftp://x',
      SLIPWAY_LOG_LEVEL: 'loud',
    };
    for (const name of Object.keys(env)) expect(() => readConfig(env)).toThrow(name);
  });

  it('says what one run may have', () => {
    const { steps, runLogBytes } = readConfig({});
    expect([steps.limits, runLogBytes]).toEqual([
      { cpus: undefined, memoryBytes: undefined, pids: 16_384 },
      64 * 1024 ** 2,
    ]);
    const env = {
      SLIPWAY_RUN_CPUS: '1.5',
      SLIPWAY_RUN_MEMORY: '2GiB',
      SLIPWAY_RUN_PIDS: '1000',
      SLIPWAY_RUN_LOG: '8MiB',
    };
    expect(readConfig(env)).toMatchObject({
      steps: { limits: { cpus: 1.5, memoryBytes: 2 * 1024 ** 3, pids: 1000 } },
      runLogBytes: 8 * 1024 ** 2,
    });
    expect(readConfig({ SLIPWAY_RUN_MEMORY: '0' }).steps.limits.memoryBytes).toBe('none');
  });

  it.each([
    { SLIPWAY_RUN_CPUS: '0' },
    { SLIPWAY_RUN_CPUS: 'all' },
    { SLIPWAY_RUN_MEMORY: '1MiB' },
    { SLIPWAY_RUN_PIDS: '3' },
    { SLIPWAY_RUN_LOG: '10' },
  ])('refuses %j', (env) => {
    expect(() => readConfig(env)).toThrow(Object.keys(env)[0]);
  });
});
