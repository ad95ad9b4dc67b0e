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
});
