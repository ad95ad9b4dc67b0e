import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RegistryClient } from '../../src/registry-client/client.ts';
import { copyImage } from '../../src/registry-client/copy/copy.ts';
import { createRemoteEnd } from '../../src/registry-client/copy/remote-end.ts';
import { mediaTypes, sha256Of } from '../../src/registry-client/documents.ts';
import { startRegistry, type RunningRegistry } from '../registry/rig.ts';
import { startDistribution } from '../registry-client/distribution.ts';
import { blobOf, bot, openClients, someBytes } from '../registry-client/rig.ts';

let ours: RunningRegistry;
let open: Awaited<ReturnType<typeof startDistribution>>;
let locked: Awaited<ReturnType<typeof startDistribution>>;
let ourClient: RegistryClient;
let client: RegistryClient;

/** Pushes an image of one layer by the client; its descriptor. */
async function push(to: RegistryClient, name: string, more: object = {}, size = 1000) {
  const [repository = '', reference = ''] = name.split(':');
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', of: reference }));
  const layer = blobOf(someBytes(size, size + reference.length));
  await to.putBlob(repository, { digest: sha256Of(config), bytes: config });
  await to.uploadBlob(repository, layer, { chunkBytes: size > 1_000_000 ? 4_000_000 : undefined });
  const configType = 'application/vnd.oci.image.config.v1+json';
  return putDocument(to, repository, reference, {
    ...{ schemaVersion: 2, mediaType: mediaTypes.image },
    config: { mediaType: configType, digest: sha256Of(config), size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer.digest, size: layer.size }],
    ...more,
  });
}

async function putDocument(
  to: RegistryClient,
  repository: string,
  reference: string,
  document: { readonly mediaType: string; readonly [field: string]: unknown },
) {
  const bytes = Buffer.from(JSON.stringify(document));
  const { mediaType } = document;
  const digest = sha256Of(bytes);
  await to.putManifest(repository, reference === '' ? digest : reference, { digest, mediaType, bytes });
  return { mediaType, digest, size: bytes.length };
}

beforeAll(async () => {
  [ours, open, locked] = await Promise.all([startRegistry(), startDistribution(false), startDistribution(true)]);
  const [host, admin] = [new URL(ours.url).host, { userName: 'admin', password: 'secret' }];
  const { clients } = openClientsFor(host, admin);
  ourClient = clients.at(host);
  client = clients.at(locked.host);
});
afterAll(() => Promise.all([ours.stop(), open.stop(), locked.stop()]));

/** `bot` everywhere but at our registry. */
function openClientsFor(host: string, admin: typeof bot) {
  return openClients([], { credentials: async (registry) => [registry === host ? admin : bot] });
}

describe('copying between Distribution and our registry', () => {
  it('takes an image of two platforms, 20 MiB in all, from a registry that wants a password', async () => {
    const amd = await push(client, 'team/app', {}, 12_000_000);
    const arm = await push(client, 'team/app', {}, 8_000_000);
    const manifests = [amd, arm].map((one, at) => ({
      ...one,
      platform: { os: 'linux', architecture: ['amd64', 'arm64'][at] },
    }));
    const index = await putDocument(client, 'team/app', 'v1', {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests,
    });
    const from = createRemoteEnd(client, 'team/app');
    const to = createRemoteEnd(ourClient, 'mirror/app');
    const result = await copyImage(from, to, { reference: 'v1', tag: 'v1' });
    expect(result).toMatchObject({ digest: index.digest, manifests: 3, skippedBlobs: 0 });
    expect(result.bytes).toBeGreaterThan(20_000_000);
    const there = await ours.send('GET', '/v2/mirror/app/manifests/v1');
    expect(there.headers.get('docker-content-digest')).toBe(index.digest);
    const again = await copyImage(from, to, { reference: index.digest, tag: 'v2' });
    expect(again).toMatchObject({ bytes: 0, blobs: 0, manifests: 1 });
    const layer = sha256Of(someBytes(8_000_000, 8_000_000));
    expect((await buffer(await ourClient.openBlob('mirror/app', layer))).length).toBe(8_000_000);
    // Another repository of the same registry: nothing is sent.
    const near = await copyImage(to, createRemoteEnd(ourClient, 'mirror/other'), { reference: 'v1', tag: 'v1' });
    expect(near).toMatchObject({ bytes: 0, knownBytes: 0, manifests: 3 });
    expect(near.blobs).toBe(result.blobs);
  });

  it('brings signatures to a registry that lists no referrers, and back', async () => {
    const image = await push(ourClient, 'signed:v1');
    const signature = await push(ourClient, 'signed', { subject: image, artifactType: 'application/x.sig' }, 50);
    const sbom = await push(ourClient, 'signed', { subject: image, artifactType: 'application/x.sbom' }, 60);
    const there = createRemoteEnd(client, 'signed');
    const out = await copyImage(createRemoteEnd(ourClient, 'signed'), there, {
      reference: 'v1',
      tag: 'v1',
      referrers: true,
    });
    expect(out.referrers).toBe(2);
    const listed = await client.referrers('signed', image.digest);
    expect(listed.map(({ digest }) => digest).sort()).toEqual([signature.digest, sbom.digest].sort());
    expect(listed.map(({ artifactType }) => artifactType).sort()).toEqual(['application/x.sbom', 'application/x.sig']);
    const back = createRemoteEnd(ourClient, 'signed-again');
    await copyImage(there, back, { reference: 'v1', tag: 'v1', referrers: true });
    expect(await ourClient.referrers('signed-again', image.digest)).toHaveLength(2);
  });

  it('is refused without the password, which is not told', async () => {
    await push(client, 'secret:v1');
    const wrong = openClients([{ userName: 'bot', password: 'wr0ng' }]).clients.at(locked.host);
    const stranger = openClients().clients.at(locked.host);
    for (const one of [wrong, stranger]) {
      const copied = copyImage(createRemoteEnd(one, 'secret'), createRemoteEnd(ourClient, 'x'), { reference: 'v1' });
      const error = await copied.catch((failed: unknown) => failed);
      expect(error).toMatchObject({ failure: { reason: 'unauthenticated' } });
      expect(String(error)).not.toContain('wr0ng');
    }
  });

  it('takes from a registry that anybody may read, and writes there', async () => {
    const anybody = openClients().clients.at(open.host);
    const image = await push(anybody, 'library/base:v1');
    const from = createRemoteEnd(anybody, 'library/base');
    expect(await copyImage(from, createRemoteEnd(ourClient, 'base'), { reference: 'v1', tag: 'v1' })).toMatchObject({
      digest: image.digest,
    });
    expect(await anybody.tags('library/base')).toEqual(['v1']);
    await copyImage(createRemoteEnd(ourClient, 'base'), createRemoteEnd(anybody, 'back'), {
      reference: 'v1',
      tag: 'v1',
    });
    expect(await anybody.resolve('back', 'v1')).toBe(image.digest);
  });
});
