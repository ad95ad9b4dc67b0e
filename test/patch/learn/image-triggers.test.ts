import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTriggerReader } from '../../../src/patch/learn/image-triggers.ts';
import { imageType, indexType, startRegistry, type RunningRegistry } from '../../registry/rig.ts';

const platform = 'linux/amd64';
const own = { registry: 'registry.test', repository: 'team/base', tag: 'v1' };

describe('the triggers that an image of our registry holds', () => {
  let running: RunningRegistry;
  const read = (url = running.url) =>
    createTriggerReader({
      registryHost: 'Registry.Test',
      url,
      credential: () => ({ userName: 'admin', password: 'secret' }),
    });

  beforeEach(async () => {
    running = await startRegistry();
  });
  afterEach(() => running.stop());

  async function push(reference: string, config: object): Promise<{ digest: string; size: number }> {
    const digest = await running.pushBlob('team/base', JSON.stringify(config));
    const size = Buffer.byteLength(JSON.stringify(config));
    const { bytes } = await put(reference, imageType, {
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size },
      layers: [],
    });
    const head = await running.send('HEAD', `/v2/team/base/manifests/${reference}`);
    return { digest: head.headers.get('docker-content-digest') ?? '', size: bytes };
  }

  async function put(reference: string, mediaType: string, more: object): Promise<{ bytes: number }> {
    const body = JSON.stringify({ schemaVersion: 2, mediaType, ...more });
    const headers = { 'content-type': mediaType };
    const answer = await running.send('PUT', `/v2/team/base/manifests/${reference}`, { headers, body });
    expect(answer.status).toBe(201);
    return { bytes: Buffer.byteLength(body) };
  }

  it('are read from its configuration', async () => {
    await push('v1', { config: { OnBuild: ['COPY . /app', 7, 'RUN x'] } });
    await push('v2', { config: {} });
    expect(await read()(own, platform)).toEqual(['COPY . /app', 'RUN x']);
    expect(await read()({ ...own, tag: 'v2' }, platform)).toEqual([]);
  });

  it('are those of the platform that is built', async () => {
    const manifests = await Promise.all(
      [
        ['amd64', 'RUN on-amd'],
        ['arm64', 'RUN on-arm'],
      ].map(async ([architecture, line]) => {
        const { digest, size } = await push(`of-${architecture ?? ''}`, { config: { OnBuild: [line] } });
        return { mediaType: imageType, digest, size, platform: { os: 'linux', architecture } };
      }),
    );
    await put('all', indexType, { manifests });
    expect(await read()({ ...own, tag: 'all' }, 'linux/arm64')).toEqual(['RUN on-arm']);
    expect(await read()({ ...own, tag: 'all' }, 'linux/riscv64')).toEqual([]);
  });

  it('are none for what is not there and for other registries, and unknown when the registry is away', async () => {
    expect(await read()({ ...own, tag: 'v9' }, platform)).toEqual([]);
    expect(await read()({ ...own, registry: 'docker.io' }, platform)).toEqual([]);
    await expect(read('http://127.0.0.1:1')(own, platform)).rejects.toBeDefined();
  });
});
