import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContainerRegistryClient } from '@azure/container-registry';
import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline';
import { imageType } from '../rig.ts';
import { startAcrRig, unlocked, type AcrRig } from './rig.ts';

/* Azure's own client for JavaScript, as it is published, over the whole of its login. */

let rig: AcrRig;
beforeEach(async () => {
  rig = await startAcrRig({ key: Buffer.alloc(32, 5) });
});
afterEach(async () => {
  await rig.stop();
  expect(rig.errors).toEqual([]);
});

/** The client insists on https; here the way ends at a plain port, as behind a proxy that ends TLS. */
function throughProxy(): HttpClient {
  const plain = createDefaultHttpClient();
  return {
    sendRequest: (wanted) => {
      wanted.url = wanted.url.replace(/^https:/, 'http:');
      wanted.allowInsecureConnection = true;
      wanted.headers.set('x-forwarded-proto', 'https');
      return plain.sendRequest(wanted);
    },
  };
}

function connect(name?: string): ContainerRegistryClient {
  const endpoint = rig.url.replace('http:', 'https:');
  const options = { httpClient: throughProxy(), retryOptions: { maxRetries: 0 } };
  if (name === undefined) return new ContainerRegistryClient(endpoint, options);
  const token = Buffer.from(`${name}:secret`).toString('base64');
  const getToken = () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 });
  return new ContainerRegistryClient(endpoint, { getToken }, { ...options, audience: 'https://slipway.example' });
}

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of all) list.push(one);
  return list;
}

describe("Azure's client", () => {
  it('lists repositories, tags and manifests over several pages', async () => {
    for (const tag of ['v1', 'v2', 'v3']) {
      await rig.pushFor('team/app', tag, { os: 'linux', architecture: tag });
      rig.clock.time += 1000;
    }
    await rig.pushFor('other', 'v1', { os: 'linux' });
    const client = connect('admin');
    expect(await collect(client.listRepositoryNames())).toEqual(['other', 'team/app']);
    const pages = await collect(client.listRepositoryNames().byPage({ maxPageSize: 1 }));
    expect(pages.map((page) => [...page])).toEqual([['other'], ['team/app']]);
    const repository = client.getRepository('team/app');
    const newest = repository.listManifestProperties({ order: 'LastUpdatedOnDescending' }).byPage({ maxPageSize: 2 });
    const manifests = (await collect(newest)).flatMap((page) => [...page]);
    expect(manifests).toMatchObject([
      { tags: ['v3'], architecture: 'v3', operatingSystem: 'linux', repositoryName: 'team/app' },
      { tags: ['v2'] },
      { tags: ['v1'] },
    ]);
    const newestTags = repository.getArtifact('v2').listTagProperties({ order: 'LastUpdatedOnDescending' });
    expect(await collect(newestTags)).toMatchObject([{ name: 'v3' }, { name: 'v2' }, { name: 'v1' }]);
  });

  it('shows and changes what can be done to a repository, a manifest and a tag', async () => {
    const { digest, imageSize } = await rig.pushFor('team/app', 'v1', { os: 'linux' });
    const repository = connect('admin').getRepository('team/app');
    expect(await repository.getProperties()).toMatchObject({ name: 'team/app', manifestCount: 1, tagCount: 1 });
    expect(await repository.updateProperties({ canList: false })).toMatchObject({ canList: false, canDelete: true });
    const artifact = repository.getArtifact(digest);
    expect(await artifact.getManifestProperties()).toMatchObject({ digest, sizeInBytes: imageSize, canWrite: true });
    expect(await artifact.updateManifestProperties({ canWrite: false })).toMatchObject({ canWrite: false });
    const tag = repository.getArtifact('v1');
    expect(await tag.getTagProperties('v1')).toMatchObject({ name: 'v1', digest, canDelete: true });
    expect(await tag.updateTagProperties('v1', { canDelete: false })).toMatchObject({ canDelete: false });
    await expect(artifact.delete()).rejects.toMatchObject({ statusCode: 403 });
    await expect(repository.delete()).rejects.toMatchObject({ statusCode: 403 });
    expect(await rig.get(`/acr/v1/team/app/_tags/v1`)).toMatchObject({
      tag: { changeableAttributes: { ...unlocked, deleteEnabled: false } },
    });
  });

  it('names the images of an index', async () => {
    const { digest } = await rig.pushFor('app', 'arm', { os: 'linux', architecture: 'arm64' });
    const child = { mediaType: imageType, digest, size: 1, platform: { os: 'linux', architecture: 'arm64' } };
    await rig.pushIndex('app', 'all', [child]);
    const shown = await connect('admin').getArtifact('app', 'all').getManifestProperties();
    expect(shown.relatedArtifacts).toMatchObject([{ digest, architecture: 'arm64', operatingSystem: 'linux' }]);
  });

  it('deletes a tag, a manifest and a repository, and does not mind what is gone', async () => {
    const { digest } = await rig.pushFor('team/app', 'v1', { os: 'linux' });
    await rig.pushFor('team/app', 'v2', { os: 'windows' });
    const client = connect('admin');
    const artifact = client.getArtifact('team/app', 'v1');
    for (let times = 0; times < 2; times += 1) await artifact.deleteTag('v1');
    expect(await rig.status('GET', `/v2/team/app/manifests/${digest}`)).toBe(200);
    for (let times = 0; times < 2; times += 1) await client.getArtifact('team/app', digest).delete();
    expect(await rig.status('GET', `/v2/team/app/manifests/${digest}`)).toBe(404);
    for (let times = 0; times < 2; times += 1) await client.deleteRepository('team/app');
    expect(await collect(client.listRepositoryNames())).toEqual([]);
  });

  it('is told what is not there, and what it may not do', async () => {
    await rig.pushFor('other', 'v1', { os: 'linux' });
    await expect(connect('admin').getRepository('none').getProperties()).rejects.toMatchObject({ statusCode: 404 });
    await expect(connect('member').getRepository('other').getProperties()).rejects.toMatchObject({ statusCode: 403 });
  });

  it('reads without credentials where anybody may pull', async () => {
    await rig.stop();
    rig = await startAcrRig({ anonymousPull: true });
    await rig.pushFor('app', 'v1', { os: 'linux' });
    expect(await connect().getArtifact('app', 'v1').getTagProperties('v1')).toMatchObject({ name: 'v1' });
    await expect(connect().deleteRepository('app')).rejects.toMatchObject({ statusCode: 401 });
  });
});
