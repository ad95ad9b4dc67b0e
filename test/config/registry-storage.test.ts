import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';

const usual = { SLIPWAY_REGISTRY_S3_BUCKET: 'images' };

describe('where the registry keeps what it holds', () => {
  it('is the data directory of one process', () => {
    expect(readConfig({}).registryStorage).toEqual({ isShared: false, s3: undefined });
  });

  it('may be a directory that several processes share', () => {
    expect(readConfig({ SLIPWAY_REGISTRY_SHARED: 'true' }).registryStorage).toEqual({ isShared: true, s3: undefined });
  });

  it('may be a bucket of AWS, with the credentials of the machine', () => {
    expect(readConfig({ ...usual, SLIPWAY_REGISTRY_SHARED: 'false' }).registryStorage).toEqual({
      isShared: true,
      s3: {
        bucket: 'images',
        endpoint: undefined,
        region: 'us-east-1',
        prefix: undefined,
        credentials: undefined,
        forcePathStyle: false,
      },
    });
  });

  it('may be a bucket elsewhere', () => {
    const env = {
      ...usual,
      SLIPWAY_REGISTRY_S3_ENDPOINT: 'https://minio.corp:9000/',
      SLIPWAY_REGISTRY_S3_REGION: 'eu-1',
      SLIPWAY_REGISTRY_S3_PREFIX: '/slipway/one/',
      SLIPWAY_REGISTRY_S3_ACCESS_KEY_ID: 'AK',
      SLIPWAY_REGISTRY_S3_SECRET_ACCESS_KEY_FILE: '/run/s3',
    };
    expect(readConfig(env).registryStorage.s3).toEqual({
      bucket: 'images',
      endpoint: 'https://minio.corp:9000',
      region: 'eu-1',
      prefix: 'slipway/one',
      credentials: { accessKeyId: 'AK', secretAccessKey: { file: '/run/s3' } },
      forcePathStyle: true,
    });
    const byHost = readConfig({ ...env, SLIPWAY_REGISTRY_S3_PATH_STYLE: 'false' });
    expect(byHost.registryStorage.s3?.forcePathStyle).toBe(false);
  });

  it.each([
    [{ SLIPWAY_REGISTRY_S3_BUCKET: 'a/b' }, 'SLIPWAY_REGISTRY_S3_BUCKET must be the name of a bucket'],
    [{ ...usual, SLIPWAY_REGISTRY_S3_PREFIX: 'a/../b' }, 'SLIPWAY_REGISTRY_S3_PREFIX may have letters'],
    [{ ...usual, SLIPWAY_REGISTRY_S3_PREFIX: '.staging' }, 'SLIPWAY_REGISTRY_S3_PREFIX may have letters'],
    [
      { ...usual, SLIPWAY_REGISTRY_S3_ENDPOINT: 'minio:9000' },
      'SLIPWAY_REGISTRY_S3_ENDPOINT must be the http or https',
    ],
    [{ ...usual, SLIPWAY_REGISTRY_S3_ACCESS_KEY_ID: 'AK' }, 'go together'],
    [{ ...usual, SLIPWAY_REGISTRY_S3_SECRET_ACCESS_KEY: 'hush' }, 'go together'],
    [{ SLIPWAY_REGISTRY_S3_ENDPOINT: 'https://minio:9000' }, 'needs SLIPWAY_REGISTRY_S3_BUCKET'],
  ])('cannot be %j', (env, message) => {
    expect(() => readConfig(env)).toThrow(message);
    expect(() => readConfig(env)).not.toThrow('hush');
  });
});
