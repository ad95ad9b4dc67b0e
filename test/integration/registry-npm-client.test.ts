import * as client from '@snyk/docker-registry-v2-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descriptor, imageType, indexType, sha, startRegistry, type RunningRegistry } from '../registry/rig.ts';

const login = ['admin', 'secret'] as const;
const plain = { protocol: 'http:' };

let running: RunningRegistry;
let host: string;
beforeAll(async () => {
  running = await startRegistry({ limits: { pageEntries: 3 } });
  host = running.url.slice('http://'.length);
});
afterAll(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

describe('a client of another project, for Node.js', () => {
  it('finds a registry that it can talk to', async () => {
    await expect(client.checkSupport(host, ...login, plain)).resolves.toBeDefined();
    await expect(client.checkSupport(host, 'admin', 'wrong', plain)).rejects.toThrow();
  });

  it('reads an image: manifest, config, layer and size', async () => {
    const layer = Buffer.alloc(300_000, 'layer');
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [sha(layer)] },
    });
    for (const bytes of [layer, config]) await running.pushBlob('npm/app', bytes);
    const manifest = {
      ...{ schemaVersion: 2, mediaType: imageType },
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
    };
    const put = (type: string, document: object): Promise<Response> =>
      running.send('PUT', '/v2/npm/app/manifests/v1', {
        body: JSON.stringify(document),
        headers: { 'content-type': type },
      });
    expect((await put(imageType, manifest)).status).toBe(201);
    expect(await client.getManifest(host, 'npm/app', 'v1', ...login, plain)).toMatchObject(manifest);
    expect(await client.getImageSize(host, 'npm/app', 'v1', ...login, plain)).toBe(layer.length);
    const read: unknown = await client.getImageConfig(host, 'npm/app', sha(config), ...login, plain);
    expect(read).toEqual(JSON.parse(config));
    const bytes = await client.getLayer(host, 'npm/app', sha(layer), ...login, plain);
    expect(layer.equals(bytes)).toBe(true);
    const platform = { os: 'linux', architecture: 'amd64' };
    const manifests = [{ ...descriptor(imageType, JSON.stringify(manifest)), platform }];
    expect((await put(indexType, { schemaVersion: 2, mediaType: indexType, manifests })).status).toBe(201);
    expect(await client.getManifest(host, 'npm/app', 'v1', ...login, plain, platform)).toMatchObject({
      config: manifest.config,
      manifestDigest: sha(JSON.stringify(manifest)),
    });
  });

  it('lists repositories and tags page by page', async () => {
    for (let n = 0; n < 8; n += 1) await running.pushImage('npm/tags', `v${String(n)}`);
    for (let n = 0; n < 8; n += 1) await running.pushImage(`npm/many-${String(n)}`, 'v1');
    const tags = ['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7'];
    expect(await client.getTags(host, 'npm/tags', ...login, 2, undefined, plain)).toEqual(tags);
    expect(await client.getTagsPaginated(host, 'npm/tags', ...login, 3, plain)).toEqual(tags);
    const repositories = await client.getRepos(host, ...login, 100, undefined, plain);
    expect(repositories.filter((name) => name.startsWith('npm/many-'))).toHaveLength(8);
  });
});
