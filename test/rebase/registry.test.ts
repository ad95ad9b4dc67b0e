import { gzipSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { pack, type Header } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { createLayerIndexes } from '../../src/runner/docker/layer-index.ts';
import { createDocumentCache, readImage } from '../../src/runner/docker/rebase-images.ts';
import { connectRegistry, type RegistryClient } from '../../src/registry-client/client.ts';
import { sha256Of } from '../../src/registry-client/documents.ts';
import { imageType, indexType, startRegistry, type RunningRegistry } from '../registry/rig.ts';

const never = new AbortController().signal;

let running: RunningRegistry;
let client: RegistryClient;

function connect(password = 'secret', signal = never): RegistryClient {
  return connectRegistry({ origin: running.url, credential: { userName: 'admin', password }, signal });
}

beforeAll(async () => {
  running = await startRegistry();
  client = connect();
});

afterAll(() => running.stop());

describe('the client of our registry', () => {
  it('puts, finds and mounts what an image consists of', async () => {
    const bytes = Buffer.from('a blob');
    const blob = { bytes, digest: sha256Of(bytes), mediaType: 'application/octet-stream' };
    await client.putBlob('one', blob);
    expect(await client.smallBlob('one', blob.digest)).toEqual(bytes);
    await expect(client.smallBlob('two', blob.digest)).rejects.toThrow('HTTP status: 404');
    expect(await client.mount('two', blob.digest, 'nowhere')).toBe(false);
    expect(await client.mount('two', blob.digest, 'one')).toBe(true);
    expect((await buffer(await client.openBlob('two', blob.digest))).toString()).toBe('a blob');

    const { digest, bytes: manifest } = await running.pushImage('one', 'v1');
    expect(await client.resolve('one', 'v1')).toBe(digest);
    expect(await client.resolve('one', 'v2')).toBeUndefined();
    const found = await client.manifest('one', digest);
    expect(found).toMatchObject({ digest, mediaType: imageType, bytes: Buffer.from(manifest) });
    const sent = { bytes: Buffer.from(manifest), digest: digest as Digest, mediaType: imageType };
    expect(await client.putManifest('one', 'v2', sent)).toMatchObject({ digest });
    expect(await client.manifest('one', 'none')).toBeUndefined();
  });

  it('says in the words of a push what a registry refuses, and that it is out of reach', async () => {
    await expect(connect('wrong').resolve('one', 'v1')).rejects.toThrow('denied');
    const away = connectRegistry({ origin: 'http://127.0.0.1:1', credential: undefined, signal: never });
    await expect(away.resolve('one', 'v1')).rejects.toThrow('cannot be reached: connection refused');
    await expect(connect('secret', AbortSignal.abort()).resolve('one', 'v1')).rejects.toThrow();
    const missing = {
      bytes: Buffer.from('{"schemaVersion":2}'),
      digest: sha256Of(Buffer.from('')),
      mediaType: imageType,
    };
    await expect(client.putManifest('one', 'v3', missing)).rejects.toThrow(/HTTP status: 400/);
  });
});

describe('an image is read', () => {
  const wanted = (digest: string, platform = 'linux/amd64') => {
    return { repository: 'read', digest: digest as Digest, what: 'the base', platform };
  };

  async function pushIndex(...architectures: string[]): Promise<string> {
    const manifests = [];
    for (const architecture of architectures) {
      const { digest, bytes } = await running.pushImage('read', architecture);
      manifests.push({ mediaType: imageType, digest, size: bytes.length, platform: { architecture, os: 'linux' } });
    }
    const body = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
    const headers = { 'content-type': indexType };
    const answer = await running.send('PUT', `/v2/read/manifests/index-${architectures.join('-')}`, { body, headers });
    return answer.headers.get('docker-content-digest') ?? '';
  }

  it('by the platform, where its digest is that of an index', async () => {
    const digest = await pushIndex('amd64', 'arm64');
    const found = await readImage(client, wanted(digest), createDocumentCache());
    expect(found.manifest).toMatchObject({ mediaType: imageType });
    const other = readImage(client, wanted(digest, 'linux/s390x'), createDocumentCache());
    await expect(other).rejects.toThrow('the base has no single image for linux/s390x');
    const twice = readImage(client, wanted(await pushIndex('amd64', 'amd64')), createDocumentCache());
    await expect(twice).rejects.toThrow('no single image');
  });

  it('once, and not when it is gone or none', async () => {
    const { digest } = await running.pushImage('read', 'kept');
    const cache = createDocumentCache(1);
    const first = await readImage(client, wanted(digest), cache);
    expect(await readImage(client, wanted(digest), cache)).toBe(first);
    const gone = readImage(client, wanted(`sha256:${'0'.repeat(64)}`), cache);
    await expect(gone).rejects.toThrow('the base is not in the registry any more');
  });
});

async function pushLayer(entries: readonly (Partial<Header> & { readonly name: string })[], isPlain = false) {
  const tar = pack();
  for (const entry of entries) tar.entry(entry, '');
  tar.finalize();
  const plain = await buffer(tar);
  const bytes = isPlain ? plain : gzipSync(plain);
  const mediaType = `application/vnd.oci.image.layer.v1.tar${isPlain ? '' : '+gzip'}`;
  const layer = { mediaType, digest: sha256Of(bytes), size: bytes.length };
  await client.putBlob('layers', { ...layer, bytes });
  return { client, repository: 'layers', layer };
}

describe('the index of a layer', () => {
  const limits = { layerEntries: 10, layerBytes: 1000, keptEntries: 12 };

  it.each([true, false])('has directories, links, whiteouts and files (plain: %s)', async (isPlain) => {
    const place = await pushLayer(
      [
        { name: './', type: 'directory' },
        { name: './etc/', type: 'directory', mode: 0o40755, uid: 1, gid: 2 },
        { name: 'bin', type: 'symlink', linkname: 'usr/bin' },
        { name: '/etc/passwd' },
        { name: 'etc/.wh.shadow' },
        { name: 'var/.wh..wh..opq' },
        { name: 'opt/.wh.again' },
        { name: 'opt/again/', type: 'directory', mode: 0o700 },
      ],
      isPlain,
    );
    const { marks, opaque, filled, shaping } = await createLayerIndexes(limits).of(place);
    expect(Object.fromEntries(marks)).toEqual({
      ...{ '': 'd:755:0:0', '/etc': 'd:755:1:2', '/bin': 'l:usr/bin', '/etc/passwd': 'f' },
      ...{ '/etc/shadow': 'x', '/var': 'i', '/opt': 'i', '/opt/again': 'd:700:0:0' },
    });
    expect([...opaque]).toEqual(['/var', '/opt/again']);
    expect([...filled]).toEqual(['', '/etc', '/var', '/opt']);
    expect(shaping).toEqual(['', '/bin', '/etc', '/etc/shadow', '/opt', '/opt/again', '/var']);
  });

  it.each<[string, readonly string[], string, boolean]>([
    ['as it is below', ['a/b/c'], 'i', false],
    ['new where it was taken away before', ['.wh.a', 'a/b/c'], 'd:', true],
    ['new where it is taken away after', ['a/b/c', '.wh.a'], 'd:', true],
  ])('takes a directory without an entry for one: %s', async (_, names, mark, isOpaque) => {
    const place = await pushLayer(names.map((name) => ({ name })));
    const { marks, opaque } = await createLayerIndexes(limits).of(place);
    expect(Object.fromEntries(marks)).toEqual({ '/a': mark, '/a/b': 'i', '/a/b/c': 'f' });
    expect(opaque.has('/a')).toBe(isOpaque);
  });

  it('is refused for what is too large, leaves its root, or is no layer', async () => {
    const indexes = createLayerIndexes(limits);
    const many = await pushLayer(Array.from({ length: 12 }, (_, index) => ({ name: `f${index}` })));
    await expect(indexes.of(many)).rejects.toThrow('too large to be looked at');
    await expect(indexes.of(await pushLayer([{ name: '../a' }]))).rejects.toThrow('leave its root');
    await expect(indexes.of(await pushLayer([{ name: 'a/'.repeat(3000) }]))).rejects.toThrow('a path that is too long');
    const bytes = Buffer.from('no layer');
    const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: sha256Of(bytes), size: 8 };
    await client.putBlob('layers', { ...layer, bytes });
    await expect(indexes.of({ client, repository: 'layers', layer })).rejects.toThrow();
  });

  it('is read once while it is kept, and the oldest is let go', async () => {
    let opened = 0;
    const counting: RegistryClient = {
      ...client,
      openBlob: (...about) => {
        opened += 1;
        return client.openBlob(...about);
      },
    };
    const indexes = createLayerIndexes(limits);
    const [one, other] = [await pushLayer([{ name: 'a' }, { name: 'b' }]), await pushLayer(named('c', 9))];
    const of = (place: typeof one) => indexes.of({ ...place, client: counting });
    await Promise.all([of(one), of(one)]);
    expect(opened).toBe(1);
    await of(other);
    await of(other);
    expect(opened).toBe(2);
    await of(one);
    expect(opened).toBe(3);
  });
});

function named(prefix: string, count: number): { readonly name: string }[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${prefix}${index}` }));
}
